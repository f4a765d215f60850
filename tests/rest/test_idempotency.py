"""`Idempotency-Key`: the same request again makes nothing again."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.audit.idempotency import Replayed, parse_idempotency_key
from tests.conftest import Scene, origin
from tests.core.secrets.test_client_supplied import FIRST as BROUGHT
from tests.rest.calling import REST, Answer, Client, introspect, send

TOKENS = "/users/build-bot/permanenttokens"
BODY = {"name": "nightly", "scope": [{"key": "ci"}]}


def post(scene: Scene, path: str, body: Any, key: str, secret: str | None = None) -> Answer:
    headers = {
        "authorization": f"Bearer {secret or scene.administrator.secret}",
        "content-type": "application/json",
        "idempotency-key": key,
    }
    return send("POST", REST + path, headers, json.dumps(body))


def test_a_repeated_creation_is_answered_with_the_same_token_and_the_plain_truth(
    scene: Scene, administrator: Client
) -> None:
    first, second = post(scene, TOKENS, BODY, "key-1"), post(scene, TOKENS, BODY, "key-1")
    assert first.status == second.status == 200
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json["notice"] is None
    assert second.json["token"] is None
    assert "its secret was in that answer only" in second.json["notice"]
    same = {name: value for name, value in first.json.items() if name not in ("token", "notice")}
    assert same.items() <= second.json.items()
    assert administrator.get(TOKENS).json["total"] == 2
    assert introspect("ci", scene.ci.secret, first.json["token"]).json["active"]


def test_the_remedy_that_the_notice_names_works(scene: Scene, administrator: Client) -> None:
    lost = post(scene, TOKENS, BODY, "key-1").json["id"]
    assert administrator.delete(f"{TOKENS}/{lost}").status == 200
    assert post(scene, TOKENS, BODY, "key-1").status == 404
    assert post(scene, TOKENS, BODY, "key-2").json["token"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/users", {"login": "new", "name": "New"}),
        ("/services", {"key": "new", "name": "New"}),
        ("/roles", {"key": "new", "name": "New", "permissions": [{"id": "0-0-0-0-0:read-user"}]}),
        ("/usergroups", {"name": "new"}),
        ("/users/build-bot/projectroles", {"role": {"key": "system-admin"}, "project": {"key": "ci"}}),
        ("/projectroles", {"owner": {"login": "build-bot"}, "role": {"key": "system-admin"}}),
    ],
)
def test_every_creation_can_be_sent_again(scene: Scene, path: str, body: Any) -> None:
    first, second = post(scene, path, body, "key"), post(scene, path, body, "key")
    assert (first.status, second.status) == (200, 200)
    assert first.json["id"] == second.json["id"]
    assert "secret" not in second.json or second.json["secret"] is None
    assert post(scene, path, body, "another-key").status == 409


def test_a_membership_can_be_sent_again(scene: Scene, administrator: Client) -> None:
    administrator.post("/usergroups", {"name": "bots"})
    for _ in range(2):
        assert post(scene, "/usergroups/bots/users", {"login": "build-bot"}, "key").json["id"] == scene.bot.id
    administrator.delete("/usergroups/bots/users/build-bot")
    assert post(scene, "/usergroups/bots/users", {"login": "build-bot"}, "key").status == 404


@pytest.mark.parametrize(
    ("path", "body"), [("/services", {"key": "wiki", "name": "Wiki"}), ("/services/ci/secret", {"grace": 60})]
)
def test_a_services_secret_that_was_brought_is_in_each_answer_while_it_is_the_current_one(
    scene: Scene, path: str, body: dict[str, Any]
) -> None:
    first, second = (post(scene, path, {**body, "secret": BROUGHT}, "key") for _ in range(2))
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json == second.json
    assert first.json["secret"][16:-6] == BROUGHT
    post(scene, f"/services/{first.json['id']}/secret", {}, "another")
    third = post(scene, path, {**body, "secret": BROUGHT}, "key")
    assert (third.json["secret"], bool(third.json["notice"])) == (None, True)


def test_a_renewal_that_is_sent_again_makes_no_second_secret(scene: Scene) -> None:
    first, second = (post(scene, "/services/ci/secret", {}, "key") for _ in range(2))
    assert second.json["secret"] is None
    assert "/secret" in second.json["notice"]
    assert introspect("ci", first.json["secret"], scene.token.secret or "").json["active"]


def test_a_key_belongs_to_one_request_and_one_caller(scene: Scene, administrator: Client) -> None:
    post(scene, TOKENS, BODY, "key")
    for path, body in ((TOKENS, {**BODY, "name": "other"}), ("/users/admin/permanenttokens", BODY)):
        answer = post(scene, path, body, "key")
        assert (answer.status, answer.json["error_field"]) == (422, "Idempotency-Key")
    other = administrator.post("/users/admin/permanenttokens", {"name": "o", "scope": [{"key": "keyturn"}]}).json
    assert post(scene, "/users", {"login": "x", "name": "X"}, "key", other["token"]).status == 422  # the same account
    second = scene.product.first_administrator.issue("second", origin())
    assert post(scene, "/users", {"login": "x", "name": "X"}, "key", second.secret).status == 200


def test_a_refused_request_uses_up_no_key(scene: Scene) -> None:
    assert post(scene, TOKENS, {**BODY, "name": ""}, "key").status == 400
    assert post(scene, TOKENS, {**BODY, "name": "build"}, "key").status == 409
    assert post(scene, TOKENS, BODY, "key").json["token"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é"])
def test_bad_keys_are_refused_by_name(scene: Scene, key: str) -> None:
    answer = post(scene, TOKENS, BODY, key)
    assert (answer.status, answer.json["error_field"]) == (400, "Idempotency-Key")


def test_the_same_request_many_times_at_once_makes_one_token(scene: Scene, administrator: Client) -> None:
    idempotent_replay, tokens = scene.product.idempotent_replay, scene.product.permanent_tokens
    caller = replace(scene.caller(), idempotency_key=parse_idempotency_key("key", "fingerprint"))
    barrier = threading.Barrier(20)

    def one(number: int) -> str | None:
        barrier.wait()
        try:
            return tokens.create(caller, scene.bot.id, f"token {number}", ["ci"]).token.id
        except Replayed:
            return None

    with ThreadPoolExecutor(20) as pool:
        made = [id for id in pool.map(one, range(20)) if id]
    assert len(made) == 1
    assert idempotent_replay.made_by(caller.user.id, parse_idempotency_key("key", "fingerprint")) == made[0]
    assert administrator.get(TOKENS).json["total"] == 2


def test_a_rotation_that_is_sent_again_rotates_once(scene: Scene) -> None:
    path = f"{TOKENS}/{scene.token.token.id}/rotate"
    first, again = (post(scene, path, {"grace": 3600}, "tonight") for _ in range(2))
    assert scene.is_good(first.json["token"])
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json["token"] is None
    assert "rotate again" in again.json["notice"]
    (audited,) = scene.product.permanent_tokens.get(
        scene.caller(), "build-bot", scene.token.token.id
    ).token.previous_secrets
    assert audited.since == scene.token.token.created


def test_a_token_that_rotates_itself_may_ask_again_too(scene: Scene) -> None:
    path = "/users/me/permanenttokens/current/rotate"
    first, again = (post(scene, path, {"grace": 3600}, "tonight", scene.token.secret) for _ in range(2))
    assert scene.is_good(first.json["token"])
    assert (again.status, again.json["token"], again.json["id"]) == (200, None, scene.token.token.id)
