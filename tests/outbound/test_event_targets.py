"""SNS and EventBridge keep no record of how they answer: the process that tells them does."""

from __future__ import annotations

from chalicelib.core.tokens.event import Event, EventKind
from chalicelib.core.webhooks.ports import NotDelivered
from chalicelib.outbound.event_targets import Topic

NOW = 1_800_000_000_000
EVENT = Event("e1", EventKind.ROTATED, NOW, "token", 2, "owner", "actor", {})


def test_since_when_it_fails_is_known_until_something_arrives() -> None:
    """Or else each batch of the stream would wait for its first try again, however long nothing has arrived."""
    topic = Topic("arn:aws:sns:eu-central-1:123456789012:events", "eu-central-1")
    assert topic.failing is None
    for later in (0, 5_000, 90_000):
        topic.failed(EVENT, NotDelivered("EndpointConnectionError"), given_up=False, now=NOW + later)
        assert topic.failing == NOW
    topic.mark_delivered(NOW + 95_000)
    assert topic.failing is None
