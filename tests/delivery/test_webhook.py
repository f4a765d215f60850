"""An event on its way to a webhook: what goes out, and what each answer means."""

from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook as Standard

from chalicelib.core import webhooks
from chalicelib.core.credentials.keyring import Keyring
from chalicelib.core.event_ports import NotDelivered
from chalicelib.core.events import Event, EventKind
from chalicelib.core.operations.webhooks import PURPOSE
from chalicelib.core.webhooks import Webhook
from chalicelib.delivery.webhook import WebhookDestination
from chalicelib.guarded_client import Unreachable

KEYRING = Keyring({"k": bytes(range(32))}, "k")
SECRET = webhooks.new_secret()
NOW = 1_800_000_000_000
EVENT = Event("e1", EventKind.ROTATED, NOW, "token", 2, "owner", "actor", {"name": 'ä\n"<'})


class Line:
    """In place of the network: keeps what was sent, and answers as it is told."""

    def __init__(self, answer: int | None) -> None:
        self.answer = answer
        self.sent: list[tuple[str, dict[str, str], bytes]] = []

    def request(self, method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.sent.append((url, headers, body))
        if self.answer is None:
            raise Unreachable("hooks.example.com could not be reached: ReadTimeoutError")
        return self.answer, b""


class Store:
    """Keeps what is noted of the webhook."""

    def __init__(self) -> None:
        self.noted: list[Webhook] = []

    def note(self, webhook: Webhook) -> None:
        self.noted.append(webhook)


def destination(answer: int | None = 204, **changes: object) -> tuple[WebhookDestination, Line, Store]:
    encrypted = KEYRING.encrypt(SECRET, f"{PURPOSE} w")
    values = {"kinds": (), "encrypted_secret": encrypted, "created": NOW, **changes}
    line, store = Line(answer), Store()
    webhook = Webhook("w", "ops", "https://hooks.example.com/k", **values)  # type: ignore[arg-type]
    return WebhookDestination(webhook, store, KEYRING, line), line, store  # type: ignore[arg-type]


def test_it_is_signed_as_the_standard_says() -> None:
    to, line, _ = destination()
    now = round(time.time() * 1000)
    to.send(EVENT, now)
    ((url, headers, body),) = line.sent
    assert (url, headers["webhook-id"], headers["webhook-timestamp"]) == (
        "https://hooks.example.com/k",
        "e1",
        str(now // 1000),
    )
    assert Standard(SECRET).verify(body, headers) == EVENT.message()


@pytest.mark.parametrize("answer", [301, 400, 404, 410, 500, 503, None])
def test_anything_but_success_is_a_failure(answer: int | None) -> None:
    to, _, store = destination(answer)
    with pytest.raises(NotDelivered) as refused:
        to.send(EVENT, NOW)
    assert refused.value.gone is (answer == 410)
    to.failed(EVENT, refused.value, False, NOW + 5)
    assert (store.noted[-1].failing, store.noted[-1].gone) == (NOW + 5, answer == 410)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("answer", [200, 202, 204])
def test_success_ends_a_failure(answer: int) -> None:
    to, _, store = destination(answer, failing=NOW - 9, problem="it answered with 500")
    to.send(EVENT, NOW)
    to.reached()
    to.reached()
    assert [(each.failing, each.problem) for each in store.noted] == [(None, None)]


def test_it_wants_what_it_asked_for_since_it_is_there_and_nothing_once_it_is_gone() -> None:
    assert destination()[0].wants(EVENT)
    assert not destination(created=NOW + 1)[0].wants(EVENT)
    assert not destination(kinds=(EventKind.REVOKED,))[0].wants(EVENT)
    assert not destination(gone=True)[0].wants(EVENT)


def test_what_is_given_up_says_so() -> None:
    to, _, store = destination(500)
    to.failed(EVENT, NotDelivered("it answered with 500"), True, NOW)
    assert store.noted[-1].problem == "permanent-token.rotated e1 was given up: it answered with 500"
