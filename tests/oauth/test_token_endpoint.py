"""`/oauth2/token`: who may ask, how codes are redeemed, and what errors look like."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from chalicelib.core.common.origin import Origin
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.oauth.delegations import CODE_LIFETIME_MS
from chalicelib.core.secrets.hashing import SecretHasher
from chalicelib.core.secrets.token_format import SERVICE_SECRET
from chalicelib.oauth.routes import DEVICE_AUTHORIZATION, REVOCATION, TOKEN
from tests.conftest import now
from tests.oauth.calling import Pkce, call, claims_of, token_request
from tests.oauth.conformance import covers
from tests.oauth.conftest import CALLBACK, Stage
from tests.rest.calling import Answer, Client, basic


@covers("6749-5.1-no-store", "6749-5.1-members", "7636-4.3-s256", "7636-4.4-associated")
def test_a_code_buys_an_access_token(stage: Stage) -> None:
    pkce = Pkce()
    answer = stage.redeem(stage.code(pkce), pkce)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json["token_type"], answer.json["expires_in"]) == ("Bearer", 300)
    assert answer.json["scope"] == stage.api.service.id
    assert stage.is_active(answer.json["access_token"])


@covers("6749-4.1.2-once", "6749-10.5-short-once")
def test_a_code_that_comes_twice_ends_what_it_bought(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    bought = stage.redeem(code, pkce).json
    again = stage.redeem(code, pkce)
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    assert not stage.is_active(bought["access_token"])
    assert stage.refresh(bought["refresh_token"]).json["error"] == "invalid_grant"


@covers("6749-4.1.2-once")
def test_that_holds_without_a_refresh_token_too(stage: Stage) -> None:
    pkce = Pkce()
    code = stage.code(pkce, access_type="online")
    bought = stage.redeem(code, pkce).json
    assert stage.redeem(code, pkce).json["error"] == "invalid_grant"
    assert not stage.is_active(bought["access_token"])


@covers("6749-4.1.2-short", "6749-10.5-short-once")
def test_a_code_ends_after_a_minute(stage: Stage) -> None:
    code = stage.code(Pkce())
    codes = stage.scene.product.oauth.authorization_codes
    recognised = codes.recognise(stage.web.service, code, Origin(now(), ""))
    assert recognised
    assert recognised.expires - now() <= CODE_LIFETIME_MS == 60_000
    assert codes.recognise(stage.web.service, code, Origin(recognised.expires, "")) is None


@covers("6749-4.1.2-bound", "6749-4.1.3-client")
def test_a_code_of_another_client_is_refused(stage: Stage) -> None:
    pkce = Pkce()
    product, caller = stage.scene.product, stage.scene.caller()
    key = f"other-{stage.person.user.login}"
    other = product.services.register(caller, ServiceDescription(key=key, name="Other", redirect_uris=[CALLBACK]))
    code = stage.code(pkce)
    form = {"code": code, "redirect_uri": CALLBACK, "code_verifier": pkce.verifier}
    stolen = token_request((other.service.id, other.secret), grant_type="authorization_code", **form)
    assert stolen.json["error"] == "invalid_grant"
    injected = token_request(None, grant_type="authorization_code", client_id="program", **form)
    assert injected.json["error"] == "invalid_grant"
    assert stage.redeem(code, pkce).status == 200  # and it was not used up


@covers("7636-4.6-verify", "9700-2.1.1-downgrade")
@pytest.mark.parametrize("verifier", ["", "x" * 43, "short", "x" * 129, "ü" * 43])
def test_a_code_without_its_verifier_is_refused(stage: Stage, verifier: str) -> None:
    pkce = Pkce()
    code = stage.code(pkce)
    answer = stage.redeem(code, pkce, code_verifier=verifier)
    assert answer.status == 400
    assert answer.json["error"] in ("invalid_grant", "invalid_request")
    assert stage.redeem(code, pkce, code_verifier=pkce.challenge).json["error"] == "invalid_grant"
    assert stage.redeem(code, pkce).status == 200


@covers("6749-4.1.3-redirect", "6749-10.6-redirect-match")
@pytest.mark.parametrize("uri", ["", "https://app.example.com/other", CALLBACK + "/"])
def test_the_redirection_address_has_to_be_that_of_the_request(stage: Stage, uri: str) -> None:
    pkce = Pkce()
    answer = stage.redeem(stage.code(pkce), pkce, redirect_uri=uri)
    assert answer.json["error"] == "invalid_grant"


@pytest.mark.parametrize("code", ["ktc_", "x", "ktp_" + "a" * 73, "ktc_" + "a" * 73, "0" * 5000])
def test_what_is_no_code_is_refused(stage: Stage, code: str) -> None:
    assert stage.redeem(code, Pkce()).json["error"] == "invalid_grant"


@covers("6749-2.3.1-basic", "6749-3.2.1-authenticate", "6749-5.2-challenge", "6749-5.2-errors")
def test_a_client_authenticates_by_basic_or_in_the_form(stage: Stage) -> None:
    id, secret = stage.client
    for given in (id, "web"):
        assert token_request((given, secret), grant_type="client_credentials").status == 200
    form = {"grant_type": "client_credentials", "client_id": id, "client_secret": secret}
    assert token_request(None, **form).status == 200
    wrong = token_request((id, stage.api.secret), grant_type="client_credentials")
    assert (wrong.status, wrong.json["error"]) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    assert token_request(None, **{**form, "client_secret": "x"}).json["error"] == "invalid_client"
    assert token_request(None, grant_type="client_credentials").json["error"] == "invalid_client"
    assert token_request(None, grant_type="client_credentials", client_id=id).json["error"] == "invalid_client"


@pytest.mark.parametrize("place", [TOKEN, REVOCATION, DEVICE_AUTHORIZATION])
def test_a_client_authenticates_by_every_secret_that_is_good_and_is_told_when_it_ends(stage: Stage, place: str) -> None:
    secrets, by = stage.scene.product.service_secrets, stage.scene.caller()
    client = stage.scene.product.services.register(
        by, ServiceDescription(key=f"client-{now()}", name="Client", grant_types=list(GrantType))
    )
    id, first = client.service.id, client.secret
    renewed = secrets.renew(by, id, 3_600_000)
    until = formatdate(renewed.service.previous_secrets[0].until / 1000, usegmt=True)
    form = {TOKEN: {"grant_type": "client_credentials"}, REVOCATION: {"token": "x"}}.get(place, {})

    def asked(secret: str, **more: str) -> Answer:
        return call("POST", place, {"authorization": basic(id, secret)}, {**form, **more})

    old, new = asked(first), asked(renewed.secret)
    assert (old.status, new.status) == (200, 200)
    assert (old.headers.get("sunset"), new.headers.get("sunset")) == (until, None)
    if place == TOKEN:
        assert (
            asked(first, scope="nothing").headers.get("sunset") == until
        )  # also where it is refused for something else
    secrets.renew(by, id)
    assert [asked(each).json["error"] for each in (first, renewed.secret)] == ["invalid_client"] * 2


def test_a_services_own_access_token_ends_with_the_secret_by_which_it_asked(stage: Stage) -> None:
    secrets, by = stage.scene.product.service_secrets, stage.scene.caller()
    client = stage.scene.product.services.register(by, ServiceDescription(key=f"self-{now()}", name="Client"))
    id, first = client.service.id, client.secret
    second = secrets.renew(by, id, 3_600_000).secret
    bought = [
        token_request((id, each), grant_type="client_credentials", scope="api").json["access_token"]
        for each in (first, second)
    ]
    assert [stage.is_active(each) for each in bought] == [True, True]
    secrets.roll_back(by, id, first)
    assert [stage.is_active(each) for each in bought] == [True, False]


@covers("6749-3.2.1-authenticate", "8628-3.1-client")
def test_a_confidential_client_cannot_pass_for_a_public_one(stage: Stage) -> None:
    pkce = Pkce()
    form = {"code": stage.code(pkce), "redirect_uri": CALLBACK, "code_verifier": pkce.verifier}
    answer = token_request(None, grant_type="authorization_code", client_id="web", **form)
    assert answer.json["error"] == "invalid_client"
    assert call("POST", "/api/rest/oauth2/device_authorization", {}, {"client_id": "web"}).status in (400, 401)


@covers("6749-2.3-one-method")
def test_a_wrong_basic_is_not_mended_by_anything_else_that_is_wrong(stage: Stage) -> None:
    headers = {"authorization": basic("web", "wrong")}
    form = {"grant_type": "client_credentials", "client_id": "web", "client_secret": "wrong"}
    assert call("POST", TOKEN, headers, {"grant_type": "client_credentials", "client_id": "web"}).status == 401
    both = call("POST", TOKEN, {"authorization": basic(*stage.client)}, {**form, "client_secret": stage.web.secret})
    assert (both.status, both.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /////w==", "Basic Og==", "Bearer x", "Digest a=b"])
def test_malformed_authentication_is_no_defect(stage: Stage, header: str) -> None:
    answer = call("POST", TOKEN, {"authorization": header}, {"grant_type": "client_credentials"})
    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


@covers("6749-2.3.1-brute-force", "6749-10.10-entropy")
def test_guessed_secrets_never_reach_argon2(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> bool:
        raise AssertionError("an invented secret must not cost an Argon2 computation")

    monkeypatch.setattr(SecretHasher, "matches", never)
    guess = SERVICE_SECRET.issue(stage.web.service.id)
    assert token_request((stage.web.service.id, guess), grant_type="client_credentials").status == 401


@covers("6749-4.4-confidential")
def test_client_credentials_are_not_for_public_clients(stage: Stage) -> None:
    answer = token_request(None, grant_type="client_credentials", client_id="program")
    assert answer.json["error"] == "invalid_client"


@covers("9068-5-sub", "9700-4.15.1-sub")
def test_a_service_acts_for_itself(stage: Stage) -> None:
    token = token_request(stage.client, grant_type="client_credentials", scope="api").json["access_token"]
    claims = claims_of(token)
    assert claims["sub"] == claims["client_id"] == stage.web.service.id
    introspected = stage.introspect(token)
    assert (introspected["active"], introspected["account_type"], introspected["sub"]) == (
        True,
        "service",
        stage.web.service.id,
    )
    assert "username" not in introspected
    wanted = {"id": stage.person.user.id, "key": f"as-{stage.person.user.login}", "name": "As"}
    made = Client(stage.scene.administrator.secret or "").post("/services", wanted).json
    assert made["id"] != stage.person.user.id  # ids are ours to give, so no client passes for a user


@pytest.mark.parametrize("scope", ["0-0-0-0-0", "openid", "profile", "nowhere"])
def test_what_a_service_cannot_be(stage: Stage, scope: str) -> None:
    answer = token_request(stage.client, grant_type="client_credentials", scope=scope)
    assert (answer.status, answer.json["error"]) == (400, "invalid_scope")


@covers("9700-2.4-password")
@pytest.mark.parametrize(("grant", "hint"), [("password", "permanent token"), ("implicit", "PKCE")])
def test_what_is_left_out_says_what_to_use_instead(stage: Stage, grant: str, hint: str) -> None:
    answer = token_request(stage.client, grant_type=grant, username="jo", password="secret")
    assert (answer.status, answer.json["error"]) == (400, "unsupported_grant_type")
    assert hint in answer.json["error_description"]


@covers("6749-5.2-errors", "6749-3.2-repeated", "6749-3.2-post")
def test_requests_that_are_none(stage: Stage) -> None:
    assert token_request(stage.client).json["error"] == "invalid_request"
    assert token_request(stage.client, grant_type="magic").json["error"] == "unsupported_grant_type"
    twice = token_request(stage.client, grant_type=["client_credentials", "client_credentials"])
    assert twice.json["error"] == "invalid_request"
    assert token_request(stage.client, grant_type="authorization_code").json["error"] == "invalid_request"
    assert token_request(stage.client, grant_type="refresh_token").json["error"] == "invalid_request"
    assert call("POST", TOKEN, {"content-type": "application/json"}, "{}").status == 415
    assert call("GET", TOKEN).status == 405


def test_a_service_goes_only_the_ways_that_it_may(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    plain = product.services.register(
        caller, ServiceDescription(key=f"plain-{stage.person.user.login}", name="Plain", redirect_uris=[CALLBACK])
    )
    client = (plain.service.id, plain.secret)
    for grant in ("urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"):
        form = {"device_code": "x", "subject_token": "x", "subject_token_type": TOKEN_TYPE}
        assert token_request(client, grant_type=grant, **form).json["error"] == "unauthorized_client"
    started = call("POST", "/api/rest/oauth2/device_authorization", {"authorization": basic(*client)}, {})
    assert started.json["error"] == "unauthorized_client"


TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"


def test_a_banned_account_gets_nothing(stage: Stage) -> None:
    pkce = Pkce()
    tokens, code = stage.connect(), stage.code(pkce)
    stage.scene.product.accounts.update(stage.scene.caller(), stage.person.user.id, AccountChange(banned=True))
    assert stage.redeem(code, pkce).json["error"] == "invalid_grant"
    assert stage.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert not stage.is_active(tokens["access_token"])


@covers("6749-3.2-post")
def test_secrets_in_an_address_are_not_looked_at(stage: Stage) -> None:
    """Addresses end up in logs and histories (RFC 9700 section 4.3)."""
    id, secret = stage.client
    query = f"?grant_type=client_credentials&client_id={id}&client_secret={secret}"
    assert call("POST", TOKEN + query, {}, {}).json["error"] == "invalid_request"
    answer = call("POST", f"{TOKEN}?client_id={id}&client_secret={secret}", {}, {"grant_type": "client_credentials"})
    assert answer.json["error"] == "invalid_client"
    token = stage.connect(scope="api openid")["access_token"]
    assert call("GET", f"/api/rest/oauth2/userinfo?access_token={token}").status == 401
    assert call("POST", "/api/rest/oauth2/userinfo", {}, {"access_token": token}).status == 401
