"""`/webhooks` over REST: changed, given new secrets, and what is shown of how a receiver answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.composition.keyturn import keyturn
from chalicelib.core.tokens.event import Event, EventKind
from chalicelib.core.webhooks.webhook import GivenUp, new_secret
from tests.conftest import Scene, now
from tests.rest.calling import REST, Answer, send

WEBHOOK: dict[str, Any] = {"name": "ops", "url": "https://hooks.example.com/k", "kinds": ["permanent-token.revoked"]}
SECRETS = "?fields=secret,secrets(creationTime,endsOn)"


class Hook:
    """A webhook of the scene's administrator."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        made = self._send("POST", "", WEBHOOK).json
        self.id, self.secret = made["id"], made["secret"]

    def post(self, path: str, body: object, **headers: str) -> Answer:
        return self._send("POST", f"/{self.id}{path}", body, **headers)

    def get(self, query: str = "") -> Answer:
        return self._send("GET", f"/{self.id}{query}")

    def _send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        return ask(self.scene, method, f"/webhooks{path}", body, **headers)


def ask(scene: Scene, method: str, path: str, body: object = None, token: str | None = None, **more: str) -> Answer:
    headers = {"authorization": f"Bearer {token or scene.administrator.secret}", **more}
    if body is None:
        return send(method, REST + path, headers)
    return send(method, REST + path, {**headers, "content-type": "application/json"}, json.dumps(body))


@pytest.fixture
def hook(scene: Scene) -> Hook:
    return Hook(scene)


class TestChanging:
    def test_what_is_said_changes_and_what_was_shown_may_be_sent_back(self, hook: Hook) -> None:
        changed = hook.post("", {"name": "On call", "url": "https://elsewhere.example.com/", "kinds": []})
        assert changed.status == 200
        assert {name: changed.json[name] for name in WEBHOOK} == {
            "name": "On call",
            "url": "https://elsewhere.example.com/",
            "kinds": [],
        }
        assert "secret" not in changed.json
        assert hook.get().json == changed.json
        assert hook.post("", changed.json).json == changed.json
        assert hook.post("", {}).json == changed.json

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"url": "http://hooks.example.com/"}, "url"),
            ({"kinds": ["permanent-token.exploded"]}, "kinds[0]"),
            ({"name": ""}, "name"),
            ({"secret": new_secret()}, "secret"),  # which is renewed, not dropped without a word
            ({"grace": 5}, "grace"),
        ],
    )
    def test_what_breaks_a_rule_is_named(self, hook: Hook, body: dict[str, Any], field: str) -> None:
        refused = hook.post("", body)
        assert (refused.status, refused.json["error_field"]) == (400, field)


class TestNames:
    def test_one_that_is_taken_is_a_conflict_that_names_the_field(self, scene: Scene, hook: Hook) -> None:
        other = ask(scene, "POST", "/webhooks", {**WEBHOOK, "name": "other"}).json["id"]
        for path in ("/webhooks", f"/webhooks/{other}"):
            for query in ("", "?dryRun=true"):
                refused = ask(scene, "POST", path + query, {**WEBHOOK, "name": "Ops"})
                assert (refused.status, refused.json["error"]) == (409, "conflict")
                assert refused.json["error_field"] == "name"

    def test_the_same_request_beside_this_one_is_no_conflict(self, scene: Scene) -> None:
        """It has made the webhook after this one looked for what its key has made."""
        idempotent_replay, first = keyturn().idempotent_replay, list[Answer]()
        made_by = idempotent_replay.made_by

        def made_meanwhile(*asked: Any) -> str | None:
            known = made_by(*asked)
            once.undo()
            first.append(create())
            return known

        def create() -> Answer:
            return ask(scene, "POST", "/webhooks", WEBHOOK, **{"idempotency-key": "once"})

        with pytest.MonkeyPatch.context() as once:
            once.setattr(idempotent_replay, "made_by", made_meanwhile)
            second = create()
        assert [each.status for each in (*first, second)] == [200, 200]
        assert second.json["id"] == first[0].json["id"]


class TestSecrets:
    def test_renewed_with_grace_shown_with_their_ends_and_taken_back(self, hook: Hook) -> None:
        renewed = hook.post(f"/secret{SECRETS}", {"grace": "PT1H"}).json
        assert renewed["secret"] != hook.secret
        first, second = renewed["secrets"]
        assert first["endsOn"] == pytest.approx(second["creationTime"] + 3_600_000, abs=1_000)
        assert second["endsOn"] is None
        assert hook.get("?fields=secrets(creationTime,endsOn)").json == {"secrets": [first, second]}
        taken = hook.post("/secret/takeback?fields=secrets(creationTime,endsOn)", {"keep": hook.secret})
        assert (taken.status, taken.json) == (200, {"secrets": [{**first, "endsOn": None}]})
        again = hook.post("/secret/takeback", {"keep": hook.secret})
        assert (again.status, again.json["secrets"]) == (200, hook.get().json["secrets"])
        unknown = hook.post("/secret/takeback", {"keep": new_secret()})
        assert (unknown.status, unknown.json["error_field"]) == (400, "keep")

    def test_without_grace_the_old_one_ends_at_once(self, hook: Hook) -> None:
        assert len(hook.post(f"/secret{SECRETS}", {}).json["secrets"]) == 1

    def test_without_a_body_as_well_as_for_services(self, hook: Hook) -> None:
        renewed = hook.post("/secret", None)
        assert (renewed.status, renewed.json["secret"] != hook.secret) == (200, True)

    def test_one_that_is_brought_is_taken_however_often_it_is_asked_for(self, hook: Hook) -> None:
        own = new_secret()
        assert hook.post("/secret/comparison", {"secret": own}).json["current"] is False
        answers = [hook.post("/secret", {"grace": grace, "secret": own}) for grace in (3_600, 3_600, 0)]
        assert [answer.status for answer in answers] == [200] * 3
        assert [answer.json for answer in answers] == [answers[0].json] * 3
        assert answers[0].json["secret"] == own
        compared = hook.post("/secret/comparison", {"secret": own}).json
        assert compared == {"id": hook.id, "type": "webhookComparison", "current": True}
        before = hook.post("/secret", {"secret": hook.secret})
        assert (before.status, before.json["error_field"]) == (400, "secret")
        assert hook.secret not in before.text

    def test_one_can_be_brought_at_creation(self, scene: Scene) -> None:
        own = new_secret()
        assert ask(scene, "POST", "/webhooks", {**WEBHOOK, "secret": own}).json["secret"] == own

    def test_a_lost_answer_makes_no_further_one(self, hook: Hook) -> None:
        key = {"idempotency-key": "k"}
        assert hook.post("/secret", {"grace": 60}, **key).json["secret"]
        again = hook.post("/secret", {"grace": 60}, **key).json
        assert (again["secret"], "create another one with a new key" in again["notice"]) == (None, True)
        assert len(hook.get().json["secrets"]) == 2

    def test_one_that_was_brought_is_there_again_while_it_is_the_current_one(self, scene: Scene) -> None:
        """As of tokens and services: who sent it has it."""
        creation = {**WEBHOOK, "secret": new_secret()}
        first, again = (ask(scene, "POST", "/webhooks", creation, **{"idempotency-key": "c"}) for _ in range(2))
        assert (again.headers["idempotency-replayed"], again.json["secret"]) == ("true", creation["secret"])
        renewal, path = {"secret": new_secret()}, f"/webhooks/{first.json['id']}/secret"
        for _ in range(2):
            renewed = ask(scene, "POST", path, renewal, **{"idempotency-key": "r"})
            assert (renewed.status, renewed.json["secret"]) == (200, renewal["secret"])
        replayed = ask(scene, "POST", "/webhooks", creation, **{"idempotency-key": "c"})
        assert (replayed.json["secret"], bool(replayed.json["notice"])) == (None, True)

    @pytest.mark.parametrize(
        ("path", "body", "field"),
        [
            ("/secret", {"grace": -1}, "grace"),
            ("/secret", {"grace": "soon"}, "grace"),
            ("/secret", {"grace": "P91D"}, "grace"),
            ("/secret", {"graec": 1}, "graec"),
            ("/secret", {"secret": "whsec_dG9vIHNob3J0"}, "secret"),
            ("/secret/comparison", {"secret": "x"}, "secret"),
            ("/secret/comparison", {}, "secret"),
            ("/secret/takeback", {"keep": ""}, "keep"),
            ("/secret/takeback", {"keep": "x"}, "keep"),
        ],
    )
    def test_what_breaks_a_rule_is_named(self, hook: Hook, path: str, body: dict[str, Any], field: str) -> None:
        refused = hook.post(path, body)
        assert (refused.status, refused.json["error_field"]) == (400, field)

    def test_they_are_for_administrators(self, hook: Hook) -> None:
        scope = [{"key": "keyturn"}]
        bot = ask(hook.scene, "POST", f"/users/{hook.scene.bot.id}/permanenttokens", {"name": "api", "scope": scope})
        for path, body in (
            ("", {"name": "x"}),
            ("/secret", {}),
            ("/secret/takeback", {"keep": hook.secret}),
            ("/secret/comparison", {"secret": hook.secret}),
        ):
            assert ask(hook.scene, "POST", f"/webhooks/{hook.id}{path}", body, token=bot.json["token"]).status == 403


def test_how_a_receiver_answers_is_shown_why_and_what_comes_next(hook: Hook) -> None:
    stores, at = hook.scene.product.stores, now()
    known = stores.webhooks.get(hook.id)
    assert known
    lost = GivenUp("e0", "permanent-token.revoked", "t0", at - 1, "it answered with 503")
    for _ in range(3):
        stores.webhooks.update_system_fields(
            replace(known, failing=at, problem="it answered with 500", succeeded=at - 9), lost
        )
    for sequence in (1, 2):
        stores.events.add(Event(f"e{sequence}", EventKind.REVOKED, now(), "t", sequence, "u", "u"))
    held = stores.queues.take(hook.id, "t", "holder", at, at + 1)
    assert held
    stores.queues.put_off(replace(held, attempts=4), at + 7_200_000)
    shown = hook.get().json
    assert {name: shown[name] for name in ("failing", "problem", "gone", "lastSuccess", "givenUps")} == {
        "failing": at,
        "problem": "it answered with 500",
        "gone": False,
        "lastSuccess": at - 9,
        "givenUps": 3,
    }
    assert (shown["waiting"], shown["nextTry"], shown["attempt"], shown["attempts"]) == (2, at + 7_200_000, 5, 10)
    assert hook.get("?fields=givenUp(id,kind,tokenId,time,problem)").json["givenUp"] == {
        "id": "e0",
        "kind": "permanent-token.revoked",
        "tokenId": "t0",
        "time": at - 1,
        "problem": "it answered with 503",
    }


def test_one_from_before_is_read_and_changed(hook: Hook) -> None:
    """Stored without revision, secrets' dates, and what is known of its answers."""
    from chalicelib.storage.engine import keys
    from chalicelib.storage.items import WebhookItem

    item = WebhookItem(*keys.webhook(hook.id))
    item.update([WebhookItem.revision.remove()])
    item.refresh(consistent_read=True)
    newer = {"rotated", "earlier", "dead", "succeeded", "given_up", "given_ups", "revision"}
    assert newer & item.serialize().keys() == set()
    renewed = hook.post(f"/secret{SECRETS}", {"grace": 60})
    assert (renewed.status, len(renewed.json["secrets"])) == (200, 2)
    assert hook.post("", {"name": "renamed"}).json["name"] == "renamed"
