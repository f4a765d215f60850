"""An event on its way to a webhook: what goes out, and what each answer means."""

from __future__ import annotations

import time

import pytest
from standardwebhooks import Webhook as Standard
from standardwebhooks import WebhookVerificationError

from chalicelib.core.secrets.keyring import Keyring
from chalicelib.core.secrets.previous_secrets import PreviousSecret
from chalicelib.core.tokens.event import Event, EventKind
from chalicelib.core.webhooks.ports import NotDelivered
from chalicelib.core.webhooks.secret_encryption import WebhookSecrets
from chalicelib.core.webhooks.webhook import SUCCESS_WINDOW_MS, GivenUp, Webhook, new_secret
from chalicelib.outbound.guarded_client import Unreachable
from chalicelib.outbound.webhook import WebhookDestination

KEYRING = Keyring({"k": bytes(range(32))}, "k")
SECRET = new_secret()
AT_REST = WebhookSecrets(KEYRING, "w")
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
        self.updated: list[Webhook] = []
        self.given_up: list[GivenUp] = []

    def update_system_fields(self, webhook: Webhook, given_up: GivenUp | None = None) -> None:
        self.updated.append(webhook)
        self.given_up += [given_up] if given_up else []


def destination(answer: int | None = 204, **changes: object) -> tuple[WebhookDestination, Line, Store]:
    values = {"kinds": (), "encrypted_secret": AT_REST.encrypt(SECRET), "created": NOW, **changes}
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
    assert (store.updated[-1].failing, store.updated[-1].gone) == (NOW + 5, answer == 410)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("answer", [200, 202, 204])
def test_success_ends_a_failure(answer: int) -> None:
    to, _, store = destination(answer, failing=NOW - 9, problem="it answered with 500")
    to.send(EVENT, NOW)
    to.mark_delivered(NOW)
    to.mark_delivered(NOW + 1)
    assert [(each.failing, each.problem, each.succeeded) for each in store.updated] == [(None, None, NOW)]


def test_the_last_success_is_noted_and_costs_a_write_once_a_minute() -> None:
    to, _, store = destination(200)
    for later in (0, 1, SUCCESS_WINDOW_MS - 1, SUCCESS_WINDOW_MS, SUCCESS_WINDOW_MS + 1):
        to.mark_delivered(NOW + later)
    assert [each.succeeded for each in store.updated] == [NOW, NOW + SUCCESS_WINDOW_MS]


def test_it_wants_what_it_asked_for_since_it_is_there_and_nothing_once_it_is_gone() -> None:
    assert destination()[0].accepts(EVENT)
    assert not destination(created=NOW + 1)[0].accepts(EVENT)
    assert not destination(kinds=(EventKind.REVOKED,))[0].accepts(EVENT)
    assert not destination(gone=True)[0].accepts(EVENT)


def test_what_is_given_up_is_kept_with_how_much_was() -> None:
    to, _, store = destination(500)
    to.failed(EVENT, NotDelivered("it answered with 500"), True, NOW)
    to.failed(EVENT, NotDelivered("it answered with 503"), True, NOW + 1)
    to.failed(EVENT, NotDelivered("it answered with 502"), False, NOW + 2)
    assert store.given_up == [
        GivenUp("e1", "permanent-token.rotated", "token", NOW, "it answered with 500"),
        GivenUp("e1", "permanent-token.rotated", "token", NOW + 1, "it answered with 503"),
    ]
    known = store.updated[-1]
    assert (known.problem, known.failing) == ("it answered with 502", NOW)


class TestSeveralLiveSecrets:
    """Standard Webhooks, section "Webhook headers": signed by the current secret and by those before, while they are
    good; a receiver knows the message by any one of them."""

    def previous(self, secret: str, until: int) -> PreviousSecret[str]:
        return PreviousSecret(AT_REST.encrypt(secret), NOW, until)

    def test_each_live_one_verifies_and_no_other(self) -> None:
        now = round(time.time() * 1000)
        oldest, before, ended = (new_secret() for _ in range(3))
        previous_secrets = (
            self.previous(oldest, now + 1),
            self.previous(before, now + 60_000),
            self.previous(ended, now),
        )
        to, line, _ = destination(previous_secrets=previous_secrets)
        to.send(EVENT, now)
        ((_, headers, body),) = line.sent
        for secret in (SECRET, before, oldest):
            assert Standard(secret).verify(body, headers) == EVENT.message()
        for secret in (ended, new_secret()):
            with pytest.raises(WebhookVerificationError):
                Standard(secret).verify(body, headers)
        signed = headers["webhook-signature"].split(" ")
        assert len(signed) == 3
        assert Standard(SECRET).verify(body, {**headers, "webhook-signature": signed[0]})  # for who reads one only

    def test_one_that_cannot_be_read_any_more_does_not_hold_up_the_others(self) -> None:
        gone = Keyring({"old": bytes(32)}, "old").encrypt(new_secret(), "webhook w")
        to, line, _ = destination(previous_secrets=(PreviousSecret(gone, NOW, NOW + 1),))
        to.send(EVENT, NOW)
        assert " " not in line.sent[0][1]["webhook-signature"]

    def test_without_any_it_is_a_failure_like_others(self) -> None:
        to, line, _ = destination(encrypted_secret=Keyring({"old": bytes(32)}, "old").encrypt(SECRET, "webhook w"))
        with pytest.raises(NotDelivered, match="a key that is no longer configured; create a new secret"):
            to.send(EVENT, NOW)
        assert line.sent == []
