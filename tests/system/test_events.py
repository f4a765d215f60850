"""Events from end to end: real changes through the real API, the table's real stream, a worker that is killed and
started again, and receivers that we did not make kind."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from chalicelib.core.webhooks import webhook
from embedded.api import Api
from embedded.stack import Stack
from examples.webhook_receiver import app
from tests.conftest import NewStack
from tests.receiver import Receiver

SCHEDULE_SECONDS = 1.0
SLOW_MACHINE = 20.0  # the schedule alone would come some 50 seconds later


@pytest.fixture
def stack(new_stack: NewStack) -> Iterator[Stack]:
    with new_stack("events") as stack:
        stack.administrator()
        yield stack


def listen(api: Api, receiver: Receiver, name: str) -> str:
    """The webhook's id."""
    made = api.call("POST", "/webhooks", {"name": name, "url": receiver.url}).json()
    receiver.secret = made["secret"]
    return str(made["id"])


def live(api: Api, number: int) -> tuple[str, list[str]]:
    """A token is made, rotated twice, changed, and deleted; its id, and every secret that it had."""
    bot = api.call("POST", "/users", {"login": f"bot{number}", "name": "Bot", "type": "bot"}).json()["id"]
    tokens = f"/users/{bot}/permanenttokens"
    made = api.call("POST", tokens, {"name": "t", "scope": [{"key": "keyturn"}]}).json()
    one = f"{tokens}/{made['id']}"
    rotated = [api.call("POST", f"{one}/rotate", {"grace": grace}).json()["token"] for grace in (60, 0)]
    api.call("POST", one, {"labels": [f"l{number}"]})
    if number % 2:
        api.call("DELETE", f"/users/{bot}")  # and with the account its token
    else:
        api.call("DELETE", one)
    return made["id"], [made["token"], *rotated]


def until(condition: Callable[[], bool], seconds: float = 120) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.2)
    return condition()


def has_all(receiver: Receiver, lives: Iterable[str]) -> bool:
    found = receiver.by_token()
    return all(found.get(id) == ALL for id in lives)


KILLS = 2
ALL = [1, 2, 3, 4, 5]  # created, rotated, rotated, updated, revoked


def test_each_event_arrives_in_order_though_the_worker_is_killed_and_receivers_fail(stack: Stack) -> None:
    api = stack.administrator()
    steady = Receiver()
    failing = Receiver(lambda number: "fail" if number % 3 == 0 else "take")
    hanging = Receiver(lambda number: "hang" if number in (1, 4) else "slow" if number % 5 == 0 else "take")
    for receiver, name in ((steady, "steady"), (failing, "failing"), (hanging, "hanging")):
        listen(api, receiver, name)
    stop = threading.Event()

    def keep_killing() -> int:
        killed = 0
        while not stop.is_set() or killed < KILLS:
            stack.start_worker(SCHEDULE_SECONDS)
            stop.wait(4.0)
            assert stack.worker
            stack.worker.stop()
            killed += 1
        return killed

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(keep_killing)
        try:
            lives = dict(live(api, number) for number in range(6))
            assert until(lambda: bool(steady.got))
        finally:
            stop.set()
        assert killing.result() >= KILLS
    stack.start_worker(SCHEDULE_SECONDS)
    try:
        for receiver in (steady, failing, hanging):
            assert until(partial(has_all, receiver, lives)), receiver.by_token()
    finally:
        for receiver in (steady, failing, hanging):
            receiver.close()
    secrets = [secret for each in lives.values() for secret in each]
    for receiver in (steady, failing, hanging):
        told = b"".join(receiver.bodies).decode()
        assert not [secret for secret in secrets if secret in told]
        found = [message["data"] for message in receiver.got]
        ids = {(data["token"]["id"], data["sequence"]): data["id"] for data in found}
        assert set(receiver.ids) >= set(ids.values())
        assert len(set(ids.values())) == len(ids)  # by which a receiver knows what it has had
    kinds = [message["type"].removeprefix("permanent-token.") for message in steady.got]
    assert {kind: kinds.count(kind) >= 6 for kind in kinds} == dict.fromkeys(
        ("created", "rotated", "updated", "revoked"), True
    )


def test_what_fails_is_sent_again_after_five_seconds_and_not_with_the_next_minute(stack: Stack) -> None:
    """With the schedule that it ships with."""
    api, receiver, steady = (
        stack.administrator(),
        Receiver(lambda number: "fail" if number == 0 else "take"),
        Receiver(),
    )
    listen(api, receiver, "fails once")
    listen(api, steady, "steady")
    stack.start_worker()
    bot = api.call("POST", "/users", {"login": "robot", "name": "Bot", "type": "bot"}).json()["id"]
    api.call("POST", f"/users/{bot}/permanenttokens", {"name": "t", "scope": [{"key": "keyturn"}]})
    try:
        assert until(lambda: len(receiver.moments) >= 2, seconds=40)
    finally:
        for each in (receiver, steady):
            each.close()
    first, second = receiver.moments
    assert 5.0 <= second - first < 8.0 + SLOW_MACHINE
    assert steady.moments[0] - first < 4.0  # which does not wait for the other


def test_a_webhook_is_tried_and_says_how_it_answers(stack: Stack) -> None:
    api, receiver = stack.administrator(), Receiver(lambda number: "fail" if number == 0 else "take")
    id = listen(api, receiver, "tried")
    refused = api.call("POST", f"/webhooks/{id}/test")
    assert (refused.status_code, refused.json()["error_field"]) == (400, "url")
    assert "it answered with 500" in refused.json()["error_description"]
    assert api.call("POST", f"/webhooks/{id}/test").status_code == 200
    assert [message["data"]["token"]["name"] for message in receiver.got] == ["test"]
    receiver.close()


def test_a_forged_message_is_refused_by_the_example_of_a_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    secret, other = webhook.new_secret(), webhook.new_secret()
    now = int(time.time())
    data = {"id": "e", "token": {"name": "t"}, "owner": "o"}
    body = json.dumps({"type": "permanent-token.revoked", "data": data}).encode()

    def headers(key: str, at: int = now, id: str = "msg_1") -> dict[str, str]:
        return {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(at),
            "webhook-signature": webhook.signature(key, id, at, body),
        }

    monkeypatch.setenv("KEYTURN_WEBHOOK_SECRET", secret)
    receiver = app.test_client()
    assert [receiver.post("/events", data=body, headers=headers(secret)).status_code for _ in range(2)] == [204, 204]
    for forged in (
        headers(other),
        headers(secret, id="msg_2"),
        headers(secret, now - 3_600),
        {**headers(secret), "webhook-timestamp": str(now + 1)},
        {**headers(secret), "webhook-signature": "v1,"},
    ):
        assert receiver.post("/events", data=body, headers=forged).status_code == 401
    assert receiver.post("/events", data=body + b" ", headers=headers(secret)).status_code == 401
    assert receiver.post("/events", data=body).status_code == 401
