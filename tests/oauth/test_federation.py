"""Pipelines trade their platform's identity tokens, against a real issuer over HTTPS."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.paging import Window
from chalicelib.core.oauth.federated_tokens import FederatedTokens
from chalicelib.outbound import fetch
from chalicelib.outbound.issuer_keys import PAUSE_SECONDS, FetchedIssuerKeys
from tests.conftest import Install, set_scene
from tests.oauth.calling import call, claims_of, token_request
from tests.oauth.conformance import covers
from tests.oauth.conftest import Stage, set_stage
from tests.oauth.issuer import Issuer, answering, dripping
from tests.rest.calling import Answer, Client
from tests.storage.contract.making import record

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CONDITIONS = {"repository": ["acme/shop"], "ref": ["refs/heads/main", "refs/tags/v*"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def module_stage(install: Install, server: Issuer) -> Iterator[Stage]:
    """An installation whose operator expects this issuer inside the network, and trusts its certificate."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        monkeypatch.setenv("KEYTURN_INTERNAL_ISSUERS", server.url)
        for product in install(monkeypatch):
            yield set_stage(set_scene(product))


@pytest.fixture
def issuer(stage: Stage, server: Issuer) -> Issuer:
    """The issuer as at first; what was remembered of it is forgotten."""
    server.reset()
    _keys(stage)._known.clear()
    return server


@pytest.fixture
def administrator(stage: Stage) -> Client:
    return Client(stage.scene.administrator.secret or "")


@pytest.fixture
def bot(stage: Stage, administrator: Client, issuer: Issuer) -> str:
    """A bot that trusts the issuer's pipelines of one repository, for ci and deploy."""
    login = f"bot-{stage.person.user.login}"
    administrator.post("/users", {"login": login, "name": "Bot", "type": "bot"})
    assert administrator.post(f"/users/{login}/trustrules", rule(issuer)).status == 200
    return login


def rule(issuer: Issuer, **changes: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "issuer": issuer.url,
        "audience": "keyturn",
        "conditions": CONDITIONS,
        "scope": [{"key": "ci"}, {"key": "deploy"}],
        **changes,
    }


def trade(bot: str, assertion: str, **form: str) -> Answer:
    return token_request(None, grant_type=JWT_BEARER, account=bot, assertion=assertion, **form)


@covers("7523-3-issuer", "7523-3-signature")
def test_a_pipeline_gets_a_token_of_the_bot(stage: Stage, issuer: Issuer, bot: str) -> None:
    answer = trade(bot, issuer.token())
    assert answer.status == 200
    introspected = stage.introspect(answer.json["access_token"], stage.scene.ci)
    assert (introspected["active"], introspected["username"], introspected["account_type"]) == (True, bot, "bot")
    assert "refresh_token" not in answer.json
    narrow = trade(bot, issuer.token(), scope="deploy")
    assert claims_of(narrow.json["access_token"])["aud"] == stage.scene.deploy.service.id
    assert trade(bot, issuer.token(), scope="api").json["error"] == "invalid_scope"


@covers("7523-3-subject", "7523-3-audience", "7523-3-expiry", "7523-3-begins", "7523-3.1-error")
@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://token.actions.githubusercontent.com"},
        {"iss": None},
        {"aud": "somebody else"},
        {"aud": ["a", "b"]},
        {"aud": None},
        {"repository": "acme/shop-evil"},
        {"repository": "evil/acme/shop"},
        {"repository": None},
        {"repository": {"x": "acme/shop"}},
        {"ref": "refs/heads/main2"},
        {"ref": "refs/pull/1/merge"},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": 4_000_000_000},
    ],
)
def test_any_other_token_is_refused(issuer: Issuer, bot: str, claims: dict[str, Any]) -> None:
    answer = trade(bot, issuer.token(**claims))
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    assert issuer.asked == []  # nothing is fetched for a token that would not match anyway


def test_patterns_and_lists(issuer: Issuer, bot: str) -> None:
    assert trade(bot, issuer.token(ref="refs/tags/v1.2")).status == 200
    assert trade(bot, issuer.token(aud=["other", "keyturn"])).status == 200
    assert trade(bot, issuer.token(repository=["x", "acme/shop"])).status == 400  # whose it is, is one text


@covers("7523-3-signature")
def test_only_the_issuers_signature_counts(issuer: Issuer, bot: str) -> None:
    body = issuer.token()
    head, claims, _ = body.split(".")
    own = RSAKey.generate_key(2048, {"kid": "first"})
    small = RSAKey.generate_key(1024, {"kid": "small"})
    hostile = [
        "eyJhbGciOiJub25lIn0." + claims + ".",
        f"{head}.{claims}.",
        issuer.token(own),
        issuer.token(own, {"jwk": own.as_dict(private=False)}),
        issuer.token(own, {"kid": "../../etc/passwd"}),
        issuer.token(ECKey.generate_key("P-256", {"kid": "first"})),
        "nonsense",
        "eyJ" + "A" * 50_000,
    ]
    for each in hostile:
        assert trade(bot, each).json["error"] == "invalid_grant", each
    issuer.pages["/keys"] = answering({"keys": [small.as_dict(private=False)]})
    assert trade(bot, issuer.token(small, {"kid": "small"})).json["error"] == "invalid_grant"


def test_a_public_key_is_no_shared_secret(stage: Stage, issuer: Issuer, bot: str) -> None:
    """Even an issuer that publishes a symmetric key, or an unknown kind, is not believed by it."""

    shared = OctKey.import_key("x" * 64, {"kid": "first"})
    issuer.pages["/keys"] = answering({"keys": [{"kty": "oct", "k": "eHh4", "kid": "first"}, shared.as_dict()]})
    claims = claims_of(issuer.token())
    token = jwt.encode({"alg": "HS256", "kid": "first"}, claims, shared, algorithms=["HS256"])
    assert trade(bot, token).json["error"] == "invalid_grant"


def test_keys_are_remembered_and_rotate(stage: Stage, issuer: Issuer, bot: str) -> None:
    for _ in range(3):
        assert trade(bot, issuer.token()).status == 200
    assert issuer.asked.count("/keys") == 1
    newer = RSAKey.generate_key(2048, {"kid": "second"})
    issuer.pages["/keys"] = answering({"keys": [newer.as_dict(private=False)]})
    assert trade(bot, issuer.token(newer, {"kid": "second"})).status == 400  # not asked again so soon
    assert issuer.asked.count("/keys") == 1
    keys = _keys(stage)
    keys._known[issuer.url] = replace(keys._known[issuer.url], at=time.monotonic() - PAUSE_SECONDS)
    assert trade(bot, issuer.token(newer, {"kid": "second"})).status == 200
    assert trade(bot, issuer.token()).status == 400  # the old key is gone


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/keys", answering({"keys": [{"kty": "RSA", "kid": str(i)} for i in range(1000)]})),
        ("/keys", answering(b" " * (fetch.MAX_BYTES + 1))),
        ("/keys", answering(b"<html>")),
        ("/keys", answering(b"[" * 100_000)),
        ("/keys", answering({"keys": "none"})),
        ("/keys", answering({}, 302, Location="http://169.254.169.254/")),
        ("/keys", answering({}, 500)),
        ("/.well-known/openid-configuration", answering({"issuer": "https://evil.example", "jwks_uri": "x"})),
        ("/.well-known/openid-configuration", answering({})),
        ("/.well-known/openid-configuration", answering([])),
    ],
)
def test_an_issuer_that_misbehaves_is_refused_and_not_asked_again(
    issuer: Issuer, bot: str, path: str, page: Any
) -> None:
    issuer.pages[path] = page
    for _ in range(3):
        assert trade(bot, issuer.token()).json["error"] == "invalid_grant"
    assert issuer.asked.count(path) == 1


def test_a_slow_issuer_is_cut_off(issuer: Issuer, bot: str, administrator: Client) -> None:
    issuer.pages["/keys"] = dripping(60)
    began = time.monotonic()
    assert trade(bot, issuer.token()).json["error"] == "invalid_grant"
    assert time.monotonic() - began < 50  # it stops after seconds, and the keys take a minute
    tried = administrator.post(f"/users/{bot}/trustruletrials", {"assertion": issuer.token()}).json
    assert "longer than 3 seconds" in _findings(tried)["signature"]["detail"]


INSIDE = [
    "https://127.0.0.1/keys",
    "https://169.254.169.254/latest",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://10.0.0.1/",
    "http://x/",
    "file:///etc/passwd",
    "https://user@example.com/",
    "not an address",
    "https://[",
    "https://example.com:99999/",
    "https://localhost.invalid/",
]


@pytest.mark.parametrize("address", INSIDE)
def test_the_keys_are_never_fetched_from_inside_the_network(issuer: Issuer, bot: str, address: str) -> None:
    issuer.pages["/.well-known/openid-configuration"] = answering({"issuer": issuer.url, "jwks_uri": address})
    assert trade(bot, issuer.token()).json["error"] == "invalid_grant"


def test_a_rule_can_be_tried_out(issuer: Issuer, bot: str, administrator: Client, stage: Stage) -> None:
    path = f"/users/{bot}/trustruletrials"
    good = administrator.post(path, {"assertion": issuer.token()})
    assert good.json["matched"] is True
    bad = administrator.post(path, {"assertion": issuer.token(ref="refs/heads/feature")}).json
    found = _findings(bad)
    assert bad["matched"] is False
    assert (found["claim repository"]["passed"], found["claim ref"]["passed"]) == (True, False)
    assert found["claim ref"]["detail"] == "refs/heads/feature; wanted refs/heads/main or refs/tags/v*"
    forged = administrator.post(path, {"assertion": issuer.token(RSAKey.generate_key(2048, {"kid": "first"}))}).json
    assert not _findings(forged)["signature"]["passed"]
    nonsense = administrator.post(path, {"assertion": "nonsense"})
    assert (nonsense.status, nonsense.json["error_field"]) == (400, "assertion")
    assert Client(stage.scene.token.secret or "").post(path, {"assertion": issuer.token()}).status == 403


def test_a_rule_from_before_that_trusts_everybody_is_not_honoured(
    issuer: Issuer, bot: str, administrator: Client, stage: Stage
) -> None:
    product = stage.scene.product
    owned = product.oauth.trust_rules.page(stage.scene.caller(), bot, Window()).items[0]
    wide = replace(owned.rule, id=new_id(), name="wide", conditions={"event_name": ("push",)})
    product.stores.trust_rules.create(wide, owned.owner, None, record())
    stranger = issuer.token(repository="evil/shop", event_name="push")
    assert trade(bot, stranger).json["error"] == "invalid_grant"
    tried = administrator.post(f"/users/{bot}/trustruletrials", {"assertion": stranger}).json
    (shown,) = [each for each in tried["rules"] if each["name"] == "wide"]
    assert {each["name"] for each in shown["findings"] if not each["passed"]} == {"rule"}
    problems = {
        each["name"]: each["problem"] for each in administrator.get(f"/users/{bot}/trustrules").json["trustrules"]
    }
    assert problems["shop"] is None
    assert problems["wide"].startswith("must identify whose token it is")


def test_a_claim_that_stands_twice_is_refused(issuer: Issuer, bot: str) -> None:
    head, claims, signature = issuer.token(repository="evil/shop").split(".")
    text = base64.urlsafe_b64decode(claims + "==").decode()
    twice = base64.urlsafe_b64encode((text[:-1] + ',"repository":"acme/shop"}').encode()).rstrip(b"=").decode()
    assert trade(bot, f"{head}.{twice}.{signature}").json["error"] == "invalid_grant"
    assert issuer.asked == []


def test_deleting_the_rule_ends_what_came_from_it(
    stage: Stage, issuer: Issuer, bot: str, administrator: Client
) -> None:
    access = trade(bot, issuer.token()).json["access_token"]
    (one,) = administrator.get(f"/users/{bot}/trustrules").json["trustrules"]
    assert one["lastAccessTime"]
    assert administrator.get(f"/users/{bot}/trustrules/{one['id']}").json["conditions"] == CONDITIONS
    assert administrator.delete(f"/users/{bot}/trustrules/{one['id']}").status == 200
    assert not stage.introspect(access, stage.scene.ci)["active"]
    assert trade(bot, issuer.token()).json["error"] == "invalid_grant"
    assert administrator.post(f"/users/{bot}/trustrules", rule(issuer)).status == 200  # the name is free again


def _only_rule(administrator: Client, bot: str) -> str:
    (one,) = administrator.get(f"/users/{bot}/trustrules").json["trustrules"]
    return f"/users/{bot}/trustrules/{one['id']}"


def test_a_rule_is_changed_in_place(stage: Stage, issuer: Issuer, bot: str, administrator: Client) -> None:
    path = _only_rule(administrator, bot)
    before = administrator.get(path).json
    assert administrator.post(path, {"name": "shop"}).json == before
    changed = administrator.post(path, {"name": "shops", "conditions": {"repository": ["acme/*"]}})
    assert (changed.status, changed.json["name"], changed.json["conditions"]) == (
        200,
        "shops",
        {"repository": ["acme/*"]},
    )
    for kept in ("id", "issuer", "audience", "scope", "author", "creationTime"):
        assert changed.json[kept] == before[kept]
    other = trade(bot, issuer.token(repository="acme/other"))
    assert stage.introspect(other.json["access_token"], stage.scene.ci)["active"]
    record = administrator.get("/audit", kind="trust-rule.updated").json["audit"][0]
    assert record["details"]["name"] == "shop -> shops"
    assert record["details"]["claim repository"] == "acme/shop -> acme/*"
    assert record["details"]["claim ref"].endswith("-> any")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"name": "taken"}, 409, "name"),
        ({"conditions": {"repository": ["*"]}}, 400, "conditions"),
        ({"issuer": "https://gitlab.com"}, 400, "conditions"),  # which says nothing of a repository
        ({"issuer": "http://issuer.example"}, 400, "issuer"),
        ({"audience": "new", "scope": [{"key": "nowhere"}]}, 400, "scope"),
        ({"audience": "new", "keys": [{}]}, 400, "keys"),
    ],
)
def test_a_change_that_is_refused_leaves_the_rule_as_it_was(
    issuer: Issuer, bot: str, administrator: Client, change: dict[str, Any], status: int, field: str
) -> None:
    path = _only_rule(administrator, bot)
    administrator.post(f"/users/{bot}/trustrules", rule(issuer, name="taken", audience="none"))
    before = administrator.get(path).json
    answer = administrator.post(path, change)
    assert (answer.status, answer.json["error_field"].partition("[")[0]) == (status, field)
    assert administrator.get(path).json == before
    assert trade(bot, issuer.token()).status == 200


def test_what_came_from_a_rule_ends_where_the_rule_lets_in_less(
    stage: Stage, issuer: Issuer, bot: str, administrator: Client
) -> None:
    path, narrower = _only_rule(administrator, bot), {"repository": ["acme/shop"], "ref": ["refs/heads/main"]}

    def is_good(access: str, service: Any) -> bool:
        return bool(stage.introspect(access, service)["active"])

    access = trade(bot, issuer.token()).json["access_token"]
    for harmless in (
        {"name": "renamed"},
        {"conditions": {**CONDITIONS, "ref": [*CONDITIONS["ref"], "refs/heads/next"]}},
        {"conditions": {"repository": ["acme/shop"]}},
    ):
        assert administrator.post(path, harmless).status == 200
        assert is_good(access, stage.scene.ci)
    assert administrator.post(path, {"scope": [{"key": "deploy"}]}).status == 200
    assert not is_good(access, stage.scene.ci)
    assert is_good(access, stage.scene.deploy)
    for less in ({"conditions": narrower}, {"audience": "other"}):
        assert administrator.post(path, less).status == 200
        assert not is_good(access, stage.scene.deploy)
        access = trade(bot, issuer.token(aud="keyturn" if "conditions" in less else "other")).json["access_token"]
        assert is_good(access, stage.scene.deploy)


def _public(key: RSAKey | ECKey, **members: Any) -> dict[str, Any]:
    return {**key.as_dict(private=False), **members}


CLUSTER = "https://kubernetes.default.svc.cluster.local"


def test_keys_that_were_given_count_and_the_issuer_is_never_asked(
    stage: Stage, issuer: Issuer, bot: str, administrator: Client
) -> None:
    """Those of a cluster, which nobody outside can fetch."""
    old, new = ECKey.generate_key("P-256", {"kid": "old"}), RSAKey.generate_key(2048, {"kid": "new"})
    unnamed, first = ECKey.generate_key("P-256"), _public(old, use="sig", alg="ES256")
    asked = {
        "name": "cluster",
        "issuer": CLUSTER,
        "audience": "keyturn",
        "conditions": {"sub": ["system:serviceaccount:ci:*"]},
        "scope": [{"key": "ci"}],
        "keys": [{**first, "x5c": ["MIIB"]}, _public(new)],
    }
    made = administrator.post(f"/users/{bot}/trustrules", asked)
    assert made.status == 200
    assert [key["kid"] for key in made.json["keys"]] == ["old", "new"]
    assert "x5c" not in made.json["keys"][0]  # no more than what is needed
    path = f"/users/{bot}/trustrules/{made.json['id']}"

    def token(key: RSAKey | ECKey, kid: str, sub: str = "system:serviceaccount:ci:runner") -> str:
        return issuer.token(key, {"kid": kid}, iss=CLUSTER, sub=sub)

    access = trade(bot, token(old, "old")).json["access_token"]
    assert stage.introspect(access, stage.scene.ci)["active"]
    assert trade(bot, token(new, "new")).status == 200
    for foreign in (
        token(issuer.key, "first"),
        token(new, "old"),
        token(unnamed, "other"),
        token(old, "old", "system:serviceaccount:other:runner"),
    ):
        assert trade(bot, foreign).json["error"] == "invalid_grant"
    tried = administrator.post(f"/users/{bot}/trustruletrials", {"assertion": token(old, "gone")}).json
    (trial,) = [each for each in tried["rules"] if each["name"] == "cluster"]
    assert trial["findings"][-1]["detail"] == "the rule has no key 'gone'"
    record = administrator.get("/audit", kind="trust-rule.created").json["audit"][0]
    assert record["details"]["keys"] == "old new"

    assert administrator.post(path, {"keys": [first, _public(new), _public(unnamed)]}).status == 200
    assert trade(bot, token(unnamed, "any")).status == 200
    assert stage.introspect(access, stage.scene.ci)["active"]
    assert administrator.post(path, {"keys": [_public(new)]}).status == 200  # the other one may have leaked
    assert not stage.introspect(access, stage.scene.ci)["active"]
    assert trade(bot, token(old, "old")).json["error"] == "invalid_grant"
    assert issuer.asked == []


def test_keys_are_fetched_again_where_none_are_given_any_more(issuer: Issuer, bot: str, administrator: Client) -> None:
    path, other = _only_rule(administrator, bot), ECKey.generate_key("P-256", {"kid": "first"})
    assert administrator.post(path, {"keys": [_public(other)]}).status == 200
    assert trade(bot, issuer.token()).json["error"] == "invalid_grant"
    assert administrator.post(path, {"keys": []}).json["keys"] == []
    assert trade(bot, issuer.token()).status == 200


SMALL, GOOD = RSAKey.generate_key(1024), ECKey.generate_key("P-256", {"kid": "good"})


@pytest.mark.parametrize(
    ("keys", "field"),
    [
        ([GOOD.as_dict(private=True)], "keys[0]"),
        ([RSAKey.generate_key(2048).as_dict(private=True)], "keys[0]"),
        ([{"kty": "oct", "k": "c2VjcmV0"}], "keys[0]"),
        ([{"kty": "oct"}], "keys[0].kty"),
        ([{}], "keys[0].kty"),
        ([{"kty": ["RSA"]}], "keys[0].kty"),
        ([_public(GOOD), _public(GOOD)], "keys"),
        ([_public(GOOD, kid=str(number)) for number in range(11)], "keys"),
        ([_public(GOOD), _public(SMALL)], "keys[1]"),
        ([_public(GOOD, use="enc")], "keys[0].use"),
        ([_public(GOOD, alg="HS256")], "keys[0].alg"),
        ([_public(GOOD, alg="RS256")], "keys[0].alg"),
        ([_public(GOOD, crv="secp256k1")], "keys[0].crv"),
        ([_public(GOOD, x="AAAA")], "keys[0]"),
        ([_public(GOOD, x=5)], "keys[0]"),
        ([{"kty": "EC", "crv": "P-256"}], "keys[0]"),
        ([_public(GOOD, kid="")], "keys[0].kid"),
        ([{"kty": "RSA", "e": "AQAB", "n": "A" * 3000}], "keys[0]"),
        ([{"kty": "OKP", "crv": "X25519", "x": "A" * 43}], "keys[0].crv"),
    ],
)
def test_only_public_keys_that_count_are_taken(
    issuer: Issuer, bot: str, administrator: Client, keys: list[Any], field: str
) -> None:
    answer = administrator.post(f"/users/{bot}/trustrules", {**rule(issuer), "name": "given", "keys": keys})
    assert answer.status == 400
    assert answer.json["error_field"].partition(".kid")[0] in (field, field.removesuffix(".kid"))
    assert '"d"' not in answer.text


def test_who_may_change_rules(issuer: Issuer, bot: str, administrator: Client) -> None:
    path = _only_rule(administrator, bot)
    made = administrator.post(f"/users/{bot}/permanenttokens", {"name": "own", "scope": [{"id": "0-0-0-0-0"}]})
    assert Client(made.json["token"]).post(path, {"name": "mine"}).status == 403
    assert administrator.post(f"{path}x", {"name": "mine"}).status == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issuer": "http://issuer.example"}, "issuer"),
        ({"issuer": "https://issuer.example?x"}, "issuer"),
        ({"audience": ""}, "audience"),
        ({"conditions": {}}, "conditions"),
        ({"conditions": {"iss": ["https://issuer.example"]}}, "conditions"),
        ({"conditions": {"repository": ["*"]}}, "conditions"),
        ({"conditions": {"/iss": ["h*"]}}, "conditions"),
        ({"conditions": {"/repository": ["a*"], "event_name": ["push"]}}, "conditions"),
        ({"conditions": {"sub": []}}, "conditions"),
        ({"conditions": {"sub": [""]}}, "conditions"),
        ({"scope": []}, "scope"),
        ({"scope": [{"key": "nowhere"}]}, "scope"),
        ({"name": ""}, "name"),
    ],
)
def test_a_rule_that_would_trust_everybody_or_nobody(
    issuer: Issuer, bot: str, administrator: Client, change: dict[str, Any], field: str
) -> None:
    answer = administrator.post(f"/users/{bot}/trustrules", {**rule(issuer), "name": "other", **change})
    assert answer.status == 400
    assert answer.json["error_field"].startswith(field)


def test_who_may_make_rules(stage: Stage, issuer: Issuer, bot: str, administrator: Client) -> None:
    taken = administrator.post(f"/users/{bot}/trustrules", rule(issuer))
    assert (taken.status, taken.json["error_field"]) == (409, "name")
    assert administrator.post("/users/admin/trustrules", rule(issuer)).status == 409  # a person logs in
    made = administrator.post(f"/users/{bot}/permanenttokens", {"name": "own", "scope": [{"id": "0-0-0-0-0"}]})
    itself = Client(made.json["token"])
    assert itself.post(f"/users/{bot}/trustrules", {**rule(issuer), "name": "door"}).status == 403
    assert itself.get("/users/me/trustrules").json["total"] == 1


@pytest.mark.parametrize("account", ["nobody", "jo", "../x", ""])
def test_accounts_without_rules_tell_nothing(issuer: Issuer, bot: str, account: str) -> None:
    answer = trade(account, issuer.token())
    assert answer.json["error"] == ("invalid_grant" if account else "invalid_request")


def test_a_banned_bot_gets_nothing(stage: Stage, issuer: Issuer, bot: str, administrator: Client) -> None:
    access = trade(bot, issuer.token()).json["access_token"]
    administrator.post(f"/users/{bot}", {"banned": True})
    assert trade(bot, issuer.token()).json["error"] == "invalid_grant"
    assert not stage.introspect(access, stage.scene.ci)["active"]


@pytest.mark.parametrize(
    ("conditions", "claims"),
    [
        # The claims of GitLab CI and of a Kubernetes service account, as their documentation shows them.
        (
            {"project_path": ["acme/shop"], "ref_protected": ["true"]},
            {"project_path": "acme/shop", "ref_protected": "true"},
        ),
        (
            {"sub": ["system:serviceaccount:ci:*"], "/kubernetes.io/namespace": ["ci"]},
            {"sub": "system:serviceaccount:ci:builder", "kubernetes.io": {"namespace": "ci"}},
        ),
    ],
)
def test_other_platforms(
    issuer: Issuer, bot: str, administrator: Client, conditions: dict[str, Any], claims: dict[str, Any]
) -> None:
    administrator.post(f"/users/{bot}/trustrules", rule(issuer, name="other", conditions=conditions))
    assert trade(bot, issuer.token(repository=None, **claims)).status == 200


def _keys(stage: Stage) -> FetchedIssuerKeys:
    keys = stage.scene.product.oauth.federation._tokens._keys
    assert isinstance(keys, FetchedIssuerKeys)
    return keys


def _findings(trials: dict[str, Any]) -> dict[str, Any]:
    administrator_sees = trials["rules"][0].get("findings", None)
    assert administrator_sees is not None
    return {finding["name"]: finding for finding in administrator_sees}


ODD = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.text(max_size=3))
ALGORITHMS = st.sampled_from(["RS256", "PS256", "ES256", "EdDSA", "HS256", "none"])
HEADERS = st.dictionaries(st.sampled_from(["kid", "typ", "crit", "b64"]), ODD)
KEYS = st.fixed_dictionaries(
    {"kty": st.sampled_from(["RSA", "EC", "OKP", "oct", 5, None])},
    optional={
        "alg": ALGORITHMS | ODD,
        "crv": st.sampled_from(["P-256", "Ed25519", "x", 5]),
        **{name: ODD | st.sampled_from(["AQAB", "A" * 43]) for name in ("n", "e", "x", "y", "use")},
    },
)


@given(header=HEADERS, algorithm=ALGORITHMS | ODD, claims=st.dictionaries(st.text(max_size=5), ODD), key=KEYS)
def test_whatever_an_issuer_or_a_token_says_is_no_defect(
    header: dict[str, Any], algorithm: object, claims: dict[str, Any], key: dict[str, Any]
) -> None:
    class Keys:
        def of(self, issuer: str, key_id: str | None) -> list[dict[str, Any]]:
            return [{**key, "kid": key_id}]

    tokens = FederatedTokens(Keys())
    parts = (json.dumps(part).encode() for part in ({**header, "alg": algorithm}, claims))
    text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    for signature in ("", "AAAA"):
        read = tokens.read(f"{text}.{signature}")
        assert read is None or tokens.problem_with(read, "https://issuer.example")


SUBJECT = "repo:acme/shop:ref:refs/heads/main"


@pytest.fixture
def manager(stage: Stage, administrator: Client, issuer: Issuer, bot: str) -> str:
    """The bot, which may manage accounts, and whose pipelines may ask Keyturn itself."""
    services = [{"key": "keyturn"}, {"key": "ci"}]
    assert administrator.post(_only_rule(administrator, bot), {"scope": services}).status == 200
    stage.scene.product.roles.grant(stage.scene.caller(), bot, "system-admin")
    return bot


class TestTheAuditLogNamesTheJob:
    def last(self, administrator: Client, bot: str, **query: str) -> dict[str, Any]:
        actor = administrator.get(f"/users/{bot}", fields="id").json["id"]
        asked = {"actor": actor, "fields": "kind,actor,credential,credentialKind,accessToken,workload,details"}
        found: dict[str, Any] = administrator.get("/audit", **asked, **query).json["audit"][0]
        return found

    def test_behind_a_change(self, administrator: Client, issuer: Issuer, manager: str) -> None:
        access = trade(manager, issuer.token()).json["access_token"]
        assert Client(access).post(f"/users/{manager}", {"name": "Changed"}).status == 200
        record = self.last(administrator, manager)
        assert record["kind"] == "user.updated"
        assert (record["credentialKind"], record["workload"]) == ("trust-rule", SUBJECT)
        assert record["credential"] == _only_rule(administrator, manager).rpartition("/")[2]
        assert record["accessToken"] == claims_of(access)["jti"]

    def test_behind_what_was_narrowed_and_behind_a_refusal(
        self, administrator: Client, issuer: Issuer, manager: str
    ) -> None:
        access = trade(manager, issuer.token()).json["access_token"]
        narrowed = token_request(
            None,
            grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
            subject_token=access,
            subject_token_type="urn:ietf:params:oauth:token-type:access_token",
            audience="keyturn",
        ).json["access_token"]
        assert Client(narrowed).post(f"/users/{manager}", {"name": "Changed again"}).status == 200
        assert self.last(administrator, manager)["workload"] == SUBJECT
        assert Client(narrowed).post(f"/users/{manager}/applicationpasswords", {"name": "x"}).status == 403
        assert self.last(administrator, manager, kind="escalation.refused")["workload"] == SUBJECT

    def test_behind_giving_the_token_back(self, administrator: Client, issuer: Issuer, manager: str) -> None:
        access = trade(manager, issuer.token(sub="x" * 5000)).json["access_token"]
        assert len(access) < 1500  # however long the subject is
        assert call("POST", "/api/rest/oauth2/revoke", form={"token": access}).status == 200
        record = self.last(administrator, manager)
        assert (record["kind"], len(record["workload"])) == ("access-token.revoked", 255)

    def test_and_none_where_the_platform_names_none(self, administrator: Client, issuer: Issuer, manager: str) -> None:
        access = trade(manager, issuer.token(sub=None)).json["access_token"]
        assert "workload" not in claims_of(access)
        assert Client(access).post(f"/users/{manager}", {"name": "Nameless"}).status == 200
        assert self.last(administrator, manager)["workload"] is None

    def test_and_other_services_are_not_told(self, issuer: Issuer, bot: str, manager: str) -> None:
        for_both = trade(manager, issuer.token()).json["access_token"]
        assert claims_of(for_both)["workload"] == SUBJECT
        for_one = trade(bot, issuer.token(), scope="ci").json["access_token"]
        assert "workload" not in claims_of(for_one)


AT_AWS = "https://sts.amazonaws.com/"
ROLE = "arn:aws:iam::123456789012:role/deploy"


class TestAPlatformWhoseKeysAreGivenByHand:
    """As those sign whom no test can reach: what they say, and what of it lets in."""

    def made(self, administrator: Client, bot: str, key: RSAKey | ECKey, **rule: Any) -> None:
        body = {"name": "platform", "audience": "keyturn", "scope": [{"key": "ci"}], **rule}
        answer = administrator.post(f"/users/{bot}/trustrules", {**body, "keys": [key.as_dict(private=False)]})
        assert answer.status == 200, answer.json

    def token(self, key: RSAKey | ECKey, algorithm: str, **claims: Any) -> str:
        now = time.time()  # Ansible Automation Platform writes fractions of seconds
        said = {"aud": "keyturn", "iat": now, "exp": now + 300, **claims}
        return jwt.encode({"alg": algorithm, "kid": "given"}, said, key, algorithms=[algorithm])

    def test_aws(self, administrator: Client, issuer: Issuer, bot: str) -> None:
        key, iss = ECKey.generate_key("P-384", {"kid": "given"}), "https://a1-b2.tokens.sts.global.api.aws"
        self.made(administrator, bot, key, issuer=iss, conditions={"sub": [ROLE]})
        inner = {"aws_account": "123456789012", "principal_id": ROLE, "request_tags": {"sub": ROLE}}
        good = {"iss": iss, "sub": ROLE, AT_AWS: inner}
        assert trade(bot, self.token(key, "ES384", **good)).status == 200
        others = [
            {"sub": "arn:aws:iam::123456789012:role/other"},
            {"sub": "arn:aws:iam::210987654321:role/deploy"},
            {"sub": f"{ROLE}/deploy"},
            {"sub": [ROLE]},
            {"sub": "jo@example.com"},
            {"iss": "https://c3-d4.tokens.sts.global.api.aws"},
        ]
        for other in others:
            assert trade(bot, self.token(key, "ES384", **{**good, **other})).json["error"] == "invalid_grant"
        tried = administrator.post(
            f"/users/{bot}/trustruletrials", {"assertion": self.token(key, "ES384", **{**good, **others[0]})}
        ).json
        (shown,) = [each for each in tried["rules"] if each["name"] == "platform"]
        (failed,) = [each for each in shown["findings"] if not each["passed"]]
        assert (failed["name"], failed["detail"]) == ("claim sub", f"{others[0]['sub']}; wanted {ROLE}")
        assert issuer.asked == []

    def test_ansible_automation_platform(self, administrator: Client, issuer: Issuer, bot: str) -> None:
        key, iss = RSAKey.generate_key(2048, {"kid": "given"}), "https://aap.example.com/o"
        conditions = {"aap_controller_organization_id": ["1"], "aap_controller_job_template_id": ["21"]}
        self.made(administrator, bot, key, issuer=iss, conditions=conditions, scope=[{"key": "keyturn"}])
        subject = "workload_type:aap_controller_automation_job:organization:acme:job_template:deploy"
        ids = {"aap_controller_organization_id": "1", "aap_controller_job_template_id": "21"}
        good = {"iss": iss, "sub": subject, **ids, "aap_controller_launched_by_name": "jo"}
        answer = trade(bot, self.token(key, "RS256", **good))
        assert claims_of(answer.json["access_token"])["workload"] == subject
        for other in ({"aap_controller_organization_id": "2"}, {"aap_controller_job_template_id": ["20", "21"]}):
            assert trade(bot, self.token(key, "RS256", **{**good, **other})).json["error"] == "invalid_grant"
