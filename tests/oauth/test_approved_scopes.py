"""Approved scopes: asked for once, never exceeded, and the end of everything that hangs on them."""

from __future__ import annotations

import pytest

from chalicelib.core.common.errors import InvalidGrant, Unavailable
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.directory.service_descriptions import ServiceDescription
from chalicelib.core.oauth.delegations import APPROVAL_LIFETIME_MS
from chalicelib.oauth.routes import USER_INFO
from chalicelib.storage.delegations import DynamoDelegations
from tests.conftest import now
from tests.oauth.calling import Browser, Pkce, call, claims_of, sent_back, token_request
from tests.oauth.conftest import Stage
from tests.rest.calling import Client


def owner(stage: Stage) -> Client:
    """The person's own client, logged in."""
    return Client(stage.browser().cookie.partition("=")[2])


def is_asked(stage: Stage, **changes: object) -> bool:
    return "requests access" in stage.browser().get(stage.request(Pkce(), **changes)).text


def test_what_was_approved_is_not_asked_for_again(stage: Stage) -> None:
    assert is_asked(stage)
    stage.connect()
    assert not is_asked(stage)
    assert is_asked(stage, scope="api openid")
    assert is_asked(stage, prompt="consent")
    stage.connect(scope="api openid profile")
    assert not is_asked(stage, scope="profile api")


def test_it_is_on_the_account_with_its_end(stage: Stage) -> None:
    stage.connect(scope="api openid")
    (one,) = (
        owner(stage)
        .get("/users/me/approvedscopes", fields="id,client(key),scope(key),claims,expiresOn")
        .json["approvedscopes"]
    )
    assert (one["client"], one["scope"], one["claims"]) == ({"key": "web"}, [{"key": "api"}], ["openid"])
    assert abs(one["expiresOn"] - now() - APPROVAL_LIFETIME_MS) < 60_000
    assert owner(stage).get(f"/users/me/approvedscopes/{one['id']}").json["type"] == "approvedScope"
    account = owner(stage).get("/users/me", fields="approvedScopes(id)").json
    assert account["approvedScopes"] == [{"id": one["id"]}]


def test_deleting_it_ends_what_hangs_on_it(stage: Stage) -> None:
    tokens, online = stage.connect(), stage.connect(access_type="online")
    pkce = Pkce()
    code = stage.code(pkce)
    person = owner(stage)
    (one,) = person.get("/users/me/approvedscopes").json["approvedscopes"]
    assert person.delete(f"/users/me/approvedscopes/{one['id']}").status == 200
    assert not stage.is_active(tokens["access_token"])
    assert not stage.is_active(online["access_token"])
    assert stage.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
    assert stage.redeem(code, pkce).json["error"] == "invalid_grant"
    assert person.get("/users/me/refreshtokens").json["total"] == 0
    assert is_asked(stage)


def test_it_ends_all_at_once_also_if_nothing_of_it_is_swept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also at a service that is trusted meanwhile, which would need no approval any more."""
    tokens, pkce = stage.connect(scope="api openid"), Pkce()
    code = stage.code(pkce)
    person = owner(stage)
    (refresh_token,) = person.get("/users/me/refreshtokens").json["refreshtokens"]
    (one,) = person.get("/users/me/approvedscopes").json["approvedscopes"]

    def fails(self: object, approval: object) -> None:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(DynamoDelegations, "sweep", fails)
    assert person.delete(f"/users/me/approvedscopes/{one['id']}").status == 200
    product, caller = stage.scene.product, stage.scene.caller()
    for trusted in (False, True):
        product.services.update(caller, "web", ServiceDescription(trusted=trusted))
        assert not stage.is_active(tokens["access_token"])
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        assert call("GET", USER_INFO, bearer).status == 401
        assert stage.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"
        assert stage.redeem(code, pkce).json["error"] == "invalid_grant"
        assert person.get("/users/me/refreshtokens").json["total"] == 0
        assert person.get(f"/users/me/refreshtokens/{refresh_token['id']}").status == 404
    product.services.update(caller, "web", ServiceDescription(trusted=False))


def test_approving_again_brings_nothing_back(stage: Stage) -> None:
    tokens = stage.connect()
    person = owner(stage)
    (one,) = person.get("/users/me/approvedscopes").json["approvedscopes"]
    person.delete(f"/users/me/approvedscopes/{one['id']}")
    stage.connect()
    assert not stage.is_active(tokens["access_token"])
    assert stage.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_an_administrator_deletes_it_and_a_stranger_does_not(stage: Stage) -> None:
    tokens = stage.connect()
    login = stage.person.user.login
    administrator = Client(stage.scene.administrator.secret or "")
    (one,) = administrator.get(f"/users/{login}/approvedscopes").json["approvedscopes"]
    path = f"/users/{login}/approvedscopes/{one['id']}"
    assert Client(stage.scene.token.secret or "").delete(path).status == 403
    assert administrator.delete(path).status == 200
    assert not stage.is_active(tokens["access_token"])
    assert administrator.delete(path).status == 404


def test_when_it_ends_so_does_all(stage: Stage) -> None:
    tokens = stage.connect()
    delegations = stage.scene.product.oauth.delegations
    origin = Origin(now() + 100 * DAY_MS, "")
    issued = delegations.refresh(stage.web.service, tokens["refresh_token"], None, origin)
    late = Origin(now() + APPROVAL_LIFETIME_MS + 1000, "")
    with pytest.raises(InvalidGrant):
        delegations.refresh(stage.web.service, issued.refresh_token or "", None, late)


def test_a_trusted_service_does_not_ask(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    uri = "https://trusted.example.com/cb"
    key = f"trusted-{stage.person.user.login}"
    service = product.services.register(
        caller, ServiceDescription(key=key, name="Trusted", redirect_uris=[uri], trusted=True)
    )
    pkce = Pkce()
    answer = stage.browser().get(stage.request(pkce, client_id=key, redirect_uri=uri))
    form = {"code": sent_back(answer)["code"], "redirect_uri": uri, "code_verifier": pkce.verifier}
    client = (service.service.id, service.secret)
    tokens = token_request(client, grant_type="authorization_code", **form).json
    assert stage.is_active(tokens["access_token"])
    assert owner(stage).get("/users/me/approvedscopes").json["total"] == 0
    # It is no longer trusted: nobody has approved, and so it ends.
    product.services.update(caller, key, ServiceDescription(trusted=False))
    assert not stage.is_active(tokens["access_token"])
    product.services.update(caller, key, ServiceDescription(trusted=True))
    assert stage.is_active(tokens["access_token"])


def test_an_access_token_never_exceeds_what_is_left(stage: Stage) -> None:
    tokens = stage.connect(scope="api web")
    assert set(claims_of(tokens["access_token"])["aud"]) == {stage.api.service.id, stage.web.service.id}
    assert stage.introspect(tokens["access_token"], stage.web)["active"]
    assert not stage.introspect(tokens["access_token"], stage.scene.ci)["active"]


def test_the_client_goes_and_so_do_its_tokens(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    key, uri = f"brief-{stage.person.user.login}", "https://brief.example.com/cb"
    service = product.services.register(caller, ServiceDescription(key=key, name="Brief", redirect_uris=[uri]))
    pkce = Pkce()
    code = stage.code(pkce, client_id=key, redirect_uri=uri)
    form = {"code": code, "redirect_uri": uri, "code_verifier": pkce.verifier}
    tokens = token_request((service.service.id, service.secret), grant_type="authorization_code", **form).json
    assert stage.is_active(tokens["access_token"])
    product.services.delete(caller, key)
    assert not stage.is_active(tokens["access_token"])


def test_a_token_cannot_approve_anything(stage: Stage) -> None:
    """Only somebody who has logged in lets a service act for an account."""
    bot = Browser(f"__Host-keyturn={stage.scene.administrator.secret}")
    assert "<title>Log in" in bot.get(stage.request(Pkce())).text


def test_a_connected_service_makes_itself_no_credentials(stage: Stage) -> None:
    tokens = stage.connect(scope="0-0-0-0-0 api")
    service = Client(tokens["access_token"])
    assert service.get("/users/me").json["login"] == stage.person.user.login
    token = {"name": "mine", "scope": [{"id": "0-0-0-0-0"}]}
    assert service.post("/users/me/permanenttokens", token).status == 403
    assert service.post("/users/me/password", {"password": "another long password"}).status == 403
    assert service.post("/users/me/applicationpasswords", {"name": "mine"}).status == 403
    narrow = Client(stage.refresh(tokens["refresh_token"], scope="api").json["access_token"])
    assert narrow.get("/users/me").status == 403
    assert Client(tokens["access_token"][:-3] + "AAA").get("/users/me").status == 401
