"""A test of a webhook is no change: it says how the receiver answers, and revives nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.authorization import Operation
from chalicelib.core.errors import Invalid
from chalicelib.core.event_ports import NotDelivered
from chalicelib.core.events import Event
from chalicelib.core.operations.webhooks import Webhooks
from chalicelib.core.webhooks import Webhook
from tests.conftest import Scene, now


class Receiver:
    """In place of the network: takes what is sent, or does not. Implements `core.event_ports.Destination`."""

    id = "receiver"

    def __init__(self) -> None:
        self.got: list[Event] = []
        self.takes = True

    def wants(self, event: Event) -> bool:
        return True

    def send(self, event: Event, now: int) -> None:
        if not self.takes:
            raise NotDelivered("it answered with 500")
        self.got.append(event)

    def reached(self) -> None: ...

    def failed(self, event: Event, reason: NotDelivered, given_up: bool, now: int) -> None: ...


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def webhooks(scene: Scene, receiver: Receiver) -> Webhooks:
    return Webhooks(scene.product.stores.webhooks, scene.product.keyring, lambda webhook: receiver)


def listening(scene: Scene, webhooks: Webhooks, **known: object) -> Webhook:
    """A webhook of which this is known."""
    made = webhooks.create(scene.caller(), "ops", "https://hooks.example.com/", []).webhook
    scene.product.stores.webhooks.note(replace(made, **known))  # type: ignore[arg-type]
    return webhooks.get(scene.caller(), made.id)


def test_one_that_arrives_says_that_nothing_fails_any_more(
    scene: Scene, webhooks: Webhooks, receiver: Receiver
) -> None:
    failing = listening(scene, webhooks, failing=now(), problem="it answered with 500")
    webhooks.test(scene.caller(), failing.id)
    assert [event.token for event in receiver.got] == [{"name": "test"}]
    assert webhooks.get(scene.caller(), failing.id) == replace(failing, failing=None, problem=None)


def test_one_that_does_not_says_why(scene: Scene, webhooks: Webhooks, receiver: Receiver) -> None:
    receiver.takes = False
    made = listening(scene, webhooks)
    with pytest.raises(Invalid, match="url: did not take the test: it answered with 500"):
        webhooks.test(scene.caller(), made.id)


def test_none_revives_what_wanted_to_be_told_nothing_any_more(scene: Scene, webhooks: Webhooks) -> None:
    """That would open something without a recent login, and without a record."""
    gone = listening(scene, webhooks, failing=now(), problem="it answered with 410", gone=True)
    webhooks.test(scene.caller(), gone.id)
    assert webhooks.get(scene.caller(), gone.id) == gone
    assert Operation.TEST_WEBHOOK.only_reads
