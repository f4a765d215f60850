"""Policies, webhooks, leaks, and what is said of tokens, over REST."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.core.common.errors import Unavailable
from chalicelib.core.oauth.ports import IssuerUnreachable
from chalicelib.outbound.github_reports import PAUSE_SECONDS, GithubReports
from tests.conftest import Scene
from tests.rest.calling import REST, Answer, basic, send

JSON = {"content-type": "application/json"}


def ask(scene: Scene, method: str, path: str, body: Any = None, token: str | None = None, **more: str) -> Answer:
    headers = {"authorization": f"Bearer {token or scene.administrator.secret}", **more}
    if body is None:
        return send(method, REST + path, headers)
    return send(method, REST + path, {**headers, **JSON}, json.dumps(body))


def tokens_of(scene: Scene) -> str:
    return f"/users/{scene.bot.id}/permanenttokens"


def one(scene: Scene) -> str:
    return f"{tokens_of(scene)}/{scene.token.token.id}"


def introspect(scene: Scene, token: str | None, **form: str) -> Any:
    headers = {"authorization": basic("ci", scene.ci.secret), "content-type": "application/x-www-form-urlencoded"}
    fields = "&".join(f"{name}={value}" for name, value in {"token": token or "", **form}.items())
    return send("POST", f"{REST}/oauth2/introspect", headers, fields)


class TestAbout:
    def test_what_is_said_is_shown_if_it_is_asked_for_and_answers_are_hubs_otherwise(self, scene: Scene) -> None:
        said = {"description": "d", "contact": "#c", "labels": ["a", "b=c"], "networks": ["192.0.2.0/24"]}
        assert ask(scene, "POST", one(scene), said).status == 200
        assert ask(scene, "GET", f"{one(scene)}?fields=description,contact,labels,networks").json == said
        assert not said.keys() & ask(scene, "GET", one(scene)).json.keys()
        emptied = {"description": "", "contact": "", "labels": [], "networks": []}
        assert ask(scene, "POST", one(scene), emptied).status == 200
        shown = ask(scene, "GET", f"{one(scene)}?fields=description,contact,labels,networks").json
        assert shown == {"description": None, "contact": None, "labels": [], "networks": []}

    def test_the_last_use_says_from_where_with_what_and_at_which_service(self, scene: Scene) -> None:
        form = {"client_address": "198.51.100.7", "user_agent": "curl/8"}
        assert introspect(scene, scene.token.secret, **form).json["active"]
        shown = ask(scene, "GET", f"{one(scene)}?fields=lastUse(address,userAgent,service(key))").json
        assert shown == {"lastUse": {"address": "198.51.100.7", "userAgent": "curl/8", "service": {"key": "ci"}}}

    def test_a_use_of_the_api_is_noted_with_the_requests_own_address(self, scene: Scene) -> None:
        made = ask(scene, "POST", tokens_of(scene), {"name": "api", "scope": [{"key": "keyturn"}]}).json
        forged = {"user-agent": "agent/1\x07", "x-forwarded-for": "6.6.6.6"}
        ask(scene, "GET", "/users/me", token=made["token"], **forged)
        shown = ask(scene, "GET", f"{tokens_of(scene)}/{made['id']}?fields=lastUse(address,userAgent)").json
        assert shown == {"lastUse": {"address": "192.0.2.7", "userAgent": "agent/1"}}

    def test_a_wrong_address_is_refused_by_name(self, scene: Scene) -> None:
        refused = introspect(scene, scene.token.secret, client_address="here")
        assert (refused.status, refused.json["error_field"]) == (400, "client_address")

    def test_secrets_are_listed_by_their_times_alone(self, scene: Scene) -> None:
        ask(scene, "POST", f"{one(scene)}/rotate", {"grace": 60})
        shown = ask(scene, "GET", f"{one(scene)}?fields=secrets(creationTime,endsOn)").json["secrets"]
        assert [each["endsOn"] is None for each in shown] == [False, True]

    def test_a_trusted_proxy_says_who_asks(self, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
        from chalicelib.composition.keyturn import keyturn

        monkeypatch.setenv("KEYTURN_TRUSTED_PROXIES", "192.0.2.0/24")
        keyturn.cache_clear()
        made = ask(scene, "POST", tokens_of(scene), {"name": "api", "scope": [{"key": "keyturn"}]}).json
        ask(scene, "GET", "/users/me", token=made["token"], **{"x-forwarded-for": "6.6.6.6, 198.51.100.9"})
        shown = ask(scene, "GET", f"{tokens_of(scene)}/{made['id']}?fields=lastUse(address)").json
        assert shown == {"lastUse": {"address": "198.51.100.9"}}

    def test_all_tokens_and_those_with_a_label_are_listed_in_parts(self, scene: Scene) -> None:
        for number in range(3):
            ask(scene, "POST", tokens_of(scene), {"name": f"n{number}", "scope": [{"key": "ci"}], "labels": ["l"]})
        first = ask(scene, "GET", "/permanenttokens?label=l&$top=2&fields=name,user(login)").json
        assert first["permanenttokens"] == [
            {"name": f"n{number}", "user": {"login": "build-bot"}} for number in range(2)
        ]
        rest = ask(scene, "GET", f"/permanenttokens?label=l&after={first['after'].replace('#', '%23')}").json
        assert ([each["name"] for each in rest["permanenttokens"]], rest["after"]) == (["n2"], None)
        assert len(ask(scene, "GET", "/permanenttokens").json["permanenttokens"]) == 5


class TestRollback:
    def test_over_rest_with_the_new_secret(self, scene: Scene) -> None:
        current = "/users/me/permanenttokens/current"
        old = scene.token.secret or ""
        new = ask(scene, "POST", f"{current}/rotate", {"grace": 600}, token=old).json["token"]
        refused = ask(scene, "POST", f"{current}/takeback", {"keep": old}, token=old)
        assert (refused.status, refused.json["error"]) == (409, "conflict")
        taken = ask(scene, "POST", f"{current}/takeback", {"keep": old}, token=new)
        assert taken.status == 200
        assert "token" not in taken.json
        assert ask(scene, "POST", f"{current}/takeback", {"keep": old}, token=new).status == 401
        assert introspect(scene, old).json["active"]


POLICY: dict[str, Any] = {"longestLifeDays": 30, "rotationDueDays": None, "unusedDays": 9, "unused": "disable"}
WEBHOOK: dict[str, Any] = {"name": "ops", "url": "https://hooks.example.com/k", "kinds": ["permanent-token.revoked"]}


BACKLOG = ("waiting", "nextTry", "attempt", "attempts")  # what has to be looked for


class TestPolicies:
    @pytest.mark.parametrize("kind", ["services/ci", "usergroups/team"])
    def test_previewed_switched_on_shown_and_taken_away(self, scene: Scene, kind: str) -> None:
        group = ask(scene, "POST", "/usergroups", {"name": "team"}).json
        ask(scene, "POST", f"/usergroups/{group['id']}/users", {"id": scene.bot.id})
        path = f"/{kind}/policy"
        assert ask(scene, "GET", path).status == 404
        preview = ask(scene, "POST", f"{path}/preview?fields=affected,tokens(name,owner,endsOn,flags)", POLICY)
        assert preview.json == {
            "affected": 1,
            "tokens": [{"name": "build", "owner": "build-bot", "endsOn": None, "flags": []}],
        }
        assert ask(scene, "GET", path).status == 404
        set_to = ask(scene, "POST", path, POLICY).json
        shown = ask(scene, "GET", path).json
        assert set_to == shown
        assert {name: shown[name] for name in POLICY} == POLICY
        assert (shown["reused"], shown["leaked"]) == ("flag", "revoke")
        ends = ask(scene, "GET", f"{one(scene)}?fields=endsOn,flags").json
        assert ends["endsOn"] == scene.token.token.created + 9 * 86_400_000
        assert ask(scene, "DELETE", path).status == 200
        assert ask(scene, "GET", path).status == 404
        assert ask(scene, "GET", f"{one(scene)}?fields=endsOn,flags").json == {"endsOn": None, "flags": []}

    @pytest.mark.parametrize(
        ("body", "field"),
        [({"longestLifeDays": 0}, "longestLifeDays"), ({"unused": "revoke"}, "unused"), ({"days": 1}, "days")],
    )
    def test_what_breaks_a_rule_is_named(self, scene: Scene, body: dict[str, Any], field: str) -> None:
        refused = ask(scene, "POST", "/services/ci/policy", body)
        assert (refused.status, refused.json["error_field"]) == (400, field)

    def test_who_may_not_change_a_service_sees_nothing_of_others_tokens(self, scene: Scene) -> None:
        made = ask(scene, "POST", tokens_of(scene), {"name": "api", "scope": [{"key": "keyturn"}]}).json
        for method, path in (
            ("POST", "/services/ci/policy"),
            ("POST", "/services/ci/policy/preview"),
            ("POST", "/services/keyturn/policy/preview"),
            ("DELETE", "/services/ci/policy"),
            ("GET", "/permanenttokens"),
        ):
            body = {} if method == "POST" else None
            assert ask(scene, method, path, body, token=made["token"]).status == 403


class TestWebhooks:
    def test_made_shown_without_its_secret_and_deleted(self, scene: Scene) -> None:
        made = ask(scene, "POST", "/webhooks", WEBHOOK).json
        assert made["secret"].startswith("whsec_")
        shown = ask(scene, "GET", f"/webhooks/{made['id']}").json
        assert {name: shown[name] for name in WEBHOOK} == WEBHOOK
        assert "secret" not in shown
        assert (shown["waiting"], shown["nextTry"], shown["attempt"], shown["attempts"]) == (0, None, None, 10)
        listed = {name: value for name, value in shown.items() if name not in BACKLOG}
        assert ask(scene, "GET", "/webhooks").json["webhooks"] == [listed]
        asked = ask(scene, "GET", f"/webhooks?fields=id,{','.join(BACKLOG)}").json["webhooks"]
        assert asked == [{name: shown[name] for name in ("id", *BACKLOG)}]
        assert ask(scene, "DELETE", f"/webhooks/{made['id']}").status == 200
        assert ask(scene, "GET", f"/webhooks/{made['id']}").status == 404
        assert ask(scene, "DELETE", f"/webhooks/{made['id']}").status == 404

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"url": "http://hooks.example.com/"}, "url"),
            ({"url": "ftp://x"}, "url"),
            ({"kinds": ["permanent-token.exploded"]}, "kinds[0]"),
            ({"name": ""}, "name"),
        ],
    )
    def test_what_breaks_a_rule_is_named(self, scene: Scene, change: dict[str, Any], field: str) -> None:
        refused = ask(scene, "POST", "/webhooks", {**WEBHOOK, **change})
        assert (refused.status, refused.json["error_field"]) == (400, field)

    def test_a_lost_answer_makes_no_second_one(self, scene: Scene) -> None:
        key = {"idempotency-key": "k"}
        assert ask(scene, "POST", "/webhooks", WEBHOOK, **key).json["secret"]
        again = ask(scene, "POST", "/webhooks", WEBHOOK, **key).json
        assert (again["secret"], "create a new secret for the webhook" in again["notice"]) == (None, True)
        assert ask(scene, "GET", "/webhooks").json["total"] == 1

    @pytest.mark.parametrize(
        "url", ["https://localhost:1/", "https://127.0.0.1/", "https://[::1]/", "https://no.invalid/"]
    )
    def test_no_address_inside_the_network_is_asked(self, scene: Scene, url: str) -> None:
        made = ask(scene, "POST", "/webhooks", {**WEBHOOK, "url": url}).json
        refused = ask(scene, "POST", f"/webhooks/{made['id']}/test")
        assert (refused.status, refused.json["error_field"]) == (400, "url")
        assert "is in a private network" in refused.text or "cannot be resolved" in refused.text

    def test_they_are_for_administrators(self, scene: Scene) -> None:
        made = ask(scene, "POST", tokens_of(scene), {"name": "api", "scope": [{"key": "keyturn"}]}).json
        for method, body in (("GET", None), ("POST", WEBHOOK)):
            assert ask(scene, method, "/webhooks", body, token=made["token"]).status == 403

    def test_the_secret_is_nowhere_in_the_table(self, scene: Scene) -> None:
        from chalicelib.storage.items import WebhookItem

        made = ask(scene, "POST", "/webhooks", WEBHOOK).json
        (stored,) = list(WebhookItem.scan())
        assert made["secret"] not in json.dumps(stored.serialize())
        assert made["secret"].removeprefix("whsec_") not in json.dumps(stored.serialize())


class TestLeaks:
    def report(self, *texts: str | None) -> Answer:
        found = [{"text": text, "place": "https://example.com"} for text in texts]
        return send("POST", f"{REST}/leaks", JSON, json.dumps({"found": found}))

    def test_anybody_may_report_and_nobody_learns_what_was_right(self, scene: Scene) -> None:
        invented = "ktp_" + "0" * 73
        right, wrong = self.report(scene.token.secret), self.report(invented)
        assert (right.status, right.text) == (wrong.status, wrong.text) == (200, '{"received":1}')
        assert right.headers == wrong.headers
        assert not introspect(scene, scene.token.secret).json["active"]

    @pytest.mark.parametrize("body", [{}, {"found": []}, {"found": [{"text": ""}]}, {"found": [{"text": "x"}] * 101}])
    def test_a_report_has_its_bounds(self, body: dict[str, Any], scene: Scene) -> None:
        refused = send("POST", f"{REST}/leaks", JSON, json.dumps(body))
        assert (refused.status, refused.json["error"]) == (400, "invalid_request")


class Github:
    """What GitHub has: keys, published, by which it signs."""

    def __init__(self) -> None:
        self.keys = {f"{number:064x}": ec.generate_private_key(ec.SECP256R1()) for number in (1, 2)}
        self.asked = 0
        self.answers = True

    def document(self, address: str) -> dict[str, Any]:
        self.asked += 1
        if not self.answers:
            raise IssuerUnreachable("down")
        encoding, format = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        listed = [
            {"key_identifier": id, "key": key.public_key().public_bytes(encoding, format).decode(), "is_current": True}
            for id, key in self.keys.items()
        ]
        return {"public_keys": [{"key": "nonsense"}, *listed]}

    def headers(self, body: str, id: str | None = None) -> dict[str, str]:
        id = id or next(iter(self.keys))
        signed = self.keys[id].sign(body.encode(), ec.ECDSA(hashes.SHA256()))
        return {
            **JSON,
            "github-public-key-identifier": id,
            "github-public-key-signature": base64.b64encode(signed).decode(),
        }


class TestGithub:
    @pytest.fixture
    def github(self, scene: Scene) -> Github:
        """The app's own source of keys asks this one."""
        from chalicelib.composition.keyturn import keyturn

        github = Github()
        keyturn().lifecycle.__dict__["github_reports"] = GithubReports(github.document, "https://api.github.com/keys")
        return github

    def report(self, body: str, headers: dict[str, str]) -> Answer:
        return send("POST", f"{REST}/leaks/github", headers, body)

    def test_a_signed_report_ends_what_is_ours_and_says_which_that_was(self, scene: Scene, github: Github) -> None:
        texts = [scene.token.secret or "", "ktp_" + "0" * 73]
        body = json.dumps(
            [{"token": text, "type": "keyturn", "url": "https://github.com/x", "source": "c"} for text in texts]
        )
        answer = self.report(body, github.headers(body))
        assert answer.status == 200
        assert [each["label"] for each in answer.json] == ["true_positive", "false_positive"]
        digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
        assert (answer.json[0]["token_hash"], answer.json[0]["token_type"]) == (digest, "keyturn")
        assert texts[0] not in answer.text
        assert not introspect(scene, scene.token.secret).json["active"]

    def test_what_github_did_not_sign_does_nothing(self, scene: Scene, github: Github) -> None:
        body = json.dumps([{"token": scene.token.secret, "type": "k", "url": ""}])
        good, (first, second) = github.headers(body), github.keys
        for forged in (
            {**good, "github-public-key-signature": github.headers(body + " ")["github-public-key-signature"]},
            {**good, "github-public-key-identifier": second},
            {**good, "github-public-key-identifier": "f" * 64},
            {**good, "github-public-key-identifier": "../../keys"},
            {**good, "github-public-key-signature": "nonsense"},
            {**good, "github-public-key-signature": ""},
            JSON,
        ):
            refused = self.report(body, forged)
            assert (refused.status, refused.json["error"]) == (401, "invalid_token")
        assert introspect(scene, scene.token.secret).json["active"]
        assert self.report(body, github.headers(body, first)).status == 200

    def test_keys_are_remembered_and_strangers_do_not_make_us_ask(self) -> None:
        github, clock = Github(), [0.0]
        reports = GithubReports(github.document, "https://api.github.com/keys", lambda: clock[0])
        for _ in range(2):
            headers = github.headers("x")
            id, signature = (headers[f"github-public-key-{name}"] for name in ("identifier", "signature"))
            reports.require_signed(b"x", id, signature)
        assert github.asked == 1
        for _ in range(5):
            with pytest.raises(Exception, match="not signed by GitHub"):
                reports.require_signed(b"x", "e" * 64, github.headers("x")["github-public-key-signature"])
        assert github.asked == 1
        clock[0] = PAUSE_SECONDS + 1
        with pytest.raises(Exception, match="not signed by GitHub"):
            reports.require_signed(b"x", "e" * 64, github.headers("x")["github-public-key-signature"])
        assert github.asked == 2

    def test_while_github_is_away_strangers_do_not_make_us_ask_each_time(self) -> None:
        github, clock = Github(), [0.0]
        reports = GithubReports(github.document, "https://api.github.com/keys", lambda: clock[0])
        headers, github.answers = github.headers("x"), False
        id, signature = (headers[f"github-public-key-{name}"] for name in ("identifier", "signature"))
        for _ in range(5):
            with pytest.raises(Unavailable):
                reports.require_signed(b"x", id, signature)
        assert github.asked == 1
        github.answers, clock[0] = True, PAUSE_SECONDS + 1
        reports.require_signed(b"x", id, signature)

    def test_a_key_that_is_known_is_good_while_github_is_away(self) -> None:
        github, clock = Github(), [0.0]
        reports = GithubReports(github.document, "https://api.github.com/keys", lambda: clock[0])
        headers = github.headers("x")
        id, signature = (headers[f"github-public-key-{name}"] for name in ("identifier", "signature"))
        reports.require_signed(b"x", id, signature)
        github.answers, clock[0] = False, PAUSE_SECONDS + 1
        with pytest.raises(Unavailable):  # a stranger makes us ask, in vain
            reports.require_signed(b"x", "e" * 64, signature)
        reports.require_signed(b"x", id, signature)

    def test_without_githubs_keys_it_is_asked_to_come_again(self, scene: Scene, github: Github) -> None:
        github.answers = False
        assert self.report("[]", github.headers("[]")).status == 503


def test_a_rotation_names_the_secret_that_was_seen(scene: Scene) -> None:
    made = ask(scene, "GET", f"{one(scene)}?fields=creationTime").json["creationTime"]
    first = ask(scene, "POST", f"{one(scene)}/rotate?fields=rotationTime", {"grace": 60, "seen": made})
    late = ask(scene, "POST", f"{one(scene)}/rotate", {"grace": 60, "seen": made})
    assert (first.status, late.status) == (200, 409)
    assert late.json["error_description"] == "This was changed in the meantime. Reload it and try again."
    after = {"grace": 60, "seen": first.json["rotationTime"]}
    assert ask(scene, "POST", f"{one(scene)}/rotate", after).status == 200
