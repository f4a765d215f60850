"""Token exchange: what is exchanged gets narrower, never wider, and dies with what it came from."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.paging import Window
from chalicelib.core.oauth.access_tokens import MAX_EXCHANGES
from chalicelib.core.oauth.token_exchange import Exchange
from tests.conftest import now
from tests.oauth.calling import call, claims_of, token_request
from tests.oauth.conformance import covers
from tests.oauth.conftest import Stage
from tests.rest.calling import Answer, Client, basic

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


def exchange(subject: str, client: tuple[str, str] | None = None, **form: Any) -> Answer:
    changes = {"subject_token": subject, "subject_token_type": ACCESS_TOKEN, **form}
    return token_request(client, grant_type=EXCHANGE, **{k: v for k, v in changes.items() if v is not None})


@pytest.fixture
def token(stage: Stage) -> str:
    """A permanent token of a bot, for ci, deploy and the protected service."""
    product, caller = stage.scene.product, stage.scene.caller()
    made = product.permanent_tokens.create(caller, "build-bot", stage.person.user.login, ["ci", "deploy", "api"])
    return made.secret or ""


@covers("8693-2.2.1-members", "6749-5.1-no-store")
def test_a_permanent_token_becomes_a_short_lived_one(stage: Stage, token: str) -> None:
    answer = exchange(token)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json["issued_token_type"], answer.json["token_type"]) == (ACCESS_TOKEN, "Bearer")
    introspected = stage.introspect(answer.json["access_token"])
    assert (introspected["username"], introspected["account_type"]) == ("build-bot", "bot")
    assert "refresh_token" not in answer.json


@covers("9068-3-audience")
def test_it_is_narrowed_by_scope_or_audience(stage: Stage, token: str) -> None:
    ids = {key: getattr(stage.scene, key).service.id for key in ("ci", "deploy")}
    by_scope = claims_of(exchange(token, scope="ci").json["access_token"])
    by_audience = claims_of(exchange(token, audience="ci").json["access_token"])
    both = claims_of(exchange(token, scope="ci deploy", audience="ci").json["access_token"])
    several = claims_of(exchange(token, audience=["ci", "deploy"]).json["access_token"])
    assert (by_scope["aud"], by_scope["scope"]) == (ids["ci"], ids["ci"])
    assert (by_audience["aud"], by_audience["scope"]) == (ids["ci"], ids["ci"])
    assert (both["aud"], set(both["scope"].split())) == (ids["ci"], set(ids.values()))
    assert set(several["aud"]) == set(ids.values())


@covers("8693-2.2.2-target", "6749-3.3-scope")
def test_nothing_grows(stage: Stage, token: str) -> None:
    assert exchange(token, scope="web").json["error"] == "invalid_scope"
    assert exchange(token, scope=KEYTURN).json["error"] == "invalid_scope"
    assert exchange(token, scope="ci openid").json["error"] == "invalid_scope"
    assert exchange(token, audience="web").json["error"] == "invalid_target"
    assert exchange(token, audience="nowhere").json["error"] == "invalid_target"
    assert exchange(token, scope="ci", audience="deploy").json["error"] == "invalid_target"
    assert exchange(token, resource="https://ci.example.com").json["error"] == "invalid_target"
    narrow = exchange(token, scope="ci").json["access_token"]
    assert exchange(narrow, scope="deploy").json["error"] == "invalid_scope"
    assert exchange(narrow, audience="deploy").json["error"] == "invalid_target"


def test_a_chain_does_not_live_longer_than_its_beginning(stage: Stage, token: str) -> None:
    first = exchange(token).json["access_token"]
    late = Origin(now() + 200_000, "192.0.2.1")
    second = stage.scene.product.oauth.token_exchange.exchange(Exchange(first), late)
    assert second.token.expires == claims_of(first)["exp"] * 1000


def test_it_dies_with_the_permanent_token(stage: Stage, token: str) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    access = exchange(token).json["access_token"]
    narrowed = exchange(access, scope="api").json["access_token"]
    assert stage.is_active(access)
    assert stage.is_active(narrowed)
    id = next(t.token.id for t in _tokens(stage) if t.token.name == stage.person.user.login)
    product.permanent_tokens.update(caller, "build-bot", id, None, ["ci"])
    assert not stage.is_active(access)  # the permanent token is no longer for that service
    assert stage.introspect(access, stage.scene.ci)["active"]
    product.permanent_tokens.delete(caller, "build-bot", id)
    assert not stage.introspect(access, stage.scene.ci)["active"]
    assert exchange(access).json["error"] == "invalid_grant"
    assert exchange(token).json["error"] == "invalid_grant"


@covers("8693-4.1-act")
def test_a_service_acts_for_a_user_at_another(stage: Stage) -> None:
    users = stage.connect(scope="web api")["access_token"]
    answer = exchange(users, stage.client, audience="api")
    claims = claims_of(answer.json["access_token"])
    assert (claims["sub"], claims["act"]) == (stage.person.user.id, {"sub": stage.web.service.id})
    introspected = stage.introspect(answer.json["access_token"])
    assert (introspected["username"], introspected["act"]) == (stage.person.user.login, {"sub": stage.web.service.id})


def test_a_service_exchanges_only_what_is_for_it(stage: Stage, token: str) -> None:
    for_api = exchange(token, scope="api").json["access_token"]
    assert exchange(for_api, stage.client).json["error"] == "invalid_grant"
    assert exchange(token, stage.client).json["error"] == "invalid_grant"


def test_deleting_the_approval_ends_what_was_exchanged(stage: Stage) -> None:
    users = stage.connect(scope="web api")["access_token"]
    acting = exchange(users, stage.client, audience="api").json["access_token"]
    own = exchange(users, audience="api").json["access_token"]
    person = Client(stage.browser().cookie.partition("=")[2])
    assert stage.is_active(acting)
    assert stage.is_active(own)
    (one,) = person.get("/users/me/approvedscopes").json["approvedscopes"]
    person.delete(f"/users/me/approvedscopes/{one['id']}")
    assert not stage.is_active(acting)
    assert not stage.is_active(own)


@covers("8693-2.1-subject", "8693-2.1-actor-type", "8693-2.2.2-invalid")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"subject_token": "nonsense"}, "invalid_grant"),
        ({"subject_token": "eyJhbGciOiJub25lIn0.e30."}, "invalid_grant"),  # pragma: allowlist secret
        ({"subject_token": "ktp_" + "a" * 73}, "invalid_grant"),
        ({"client_id": "web"}, "invalid_client"),
        ({"client_id": "program"}, "invalid_client"),
    ],
)
def test_bad_exchanges(stage: Stage, token: str, change: dict[str, Any], error: str) -> None:
    answer = exchange(change.get("subject_token", token), **{k: v for k, v in change.items() if k != "subject_token"})
    assert answer.status in (400, 401)
    assert answer.json["error"] == error


def test_it_works_on_keyturns_own_api(stage: Stage) -> None:
    product, caller = stage.scene.product, stage.scene.caller()
    name = f"own {stage.person.user.login}"
    made = product.permanent_tokens.create(caller, "build-bot", name, [KEYTURN, "ci"])
    access = exchange(made.secret or "", scope=KEYTURN).json["access_token"]
    assert Client(access).get("/users/me").json["login"] == "build-bot"
    other = exchange(made.secret or "", scope="ci").json["access_token"]
    refused = Client(other).get("/users/me")
    assert (refused.status, refused.json["error"]) == (403, "insufficient_scope")


def test_whoever_holds_one_gives_it_back(stage: Stage, token: str) -> None:
    access = exchange(token).json["access_token"]
    assert call("POST", "/api/rest/oauth2/revoke", {}, {"token": access}).status == 200
    assert not stage.is_active(access)
    assert exchange(token).status == 200


def test_what_was_exchanged_is_revoked_with_what_it_came_from(stage: Stage) -> None:
    """Whoever narrowed it, and however often; what it came from itself stays."""
    users = stage.connect(scope="web api")["access_token"]
    first = exchange(users, scope="web api").json["access_token"]
    acting = exchange(first, stage.client, audience="api").json["access_token"]
    last = exchange(acting).json["access_token"]
    beside = exchange(users, audience="api").json["access_token"]
    assert call("POST", "/api/rest/oauth2/revoke", {}, {"token": first}).status == 200
    assert [stage.is_active(each) for each in (first, acting, last)] == [False, False, False]
    assert exchange(last).json["error"] == "invalid_grant"
    assert stage.is_active(beside)
    by_client = {"authorization": basic(*stage.client)}
    assert call("POST", "/api/rest/oauth2/revoke", by_client, {"token": users}).status == 200
    assert not stage.is_active(beside)


def test_exchanges_in_a_row_are_limited(stage: Stage, token: str) -> None:
    """Each is one thing more to look up, and one more claim."""
    access = exchange(token).json["access_token"]
    for _ in range(MAX_EXCHANGES):
        access = exchange(access).json["access_token"]
    assert stage.is_active(access)
    assert exchange(access).json["error"] == "invalid_grant"


def _tokens(stage: Stage) -> Any:
    return stage.scene.product.permanent_tokens.page(stage.scene.caller(), "build-bot", Window(0, 100)).items
