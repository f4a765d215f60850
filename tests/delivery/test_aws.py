"""Events on their way to SNS and EventBridge, on moto's AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.core.event_ports import NotDelivered
from chalicelib.core.events import Event, EventKind
from chalicelib.delivery.aws import Bus, Topic

REGION = "eu-central-1"
EVENTS = [
    Event(f"id{number}", EventKind.ROTATED, 1_800_000_000_000, "token", number, "owner", "actor", {"name": "n"})
    for number in (1, 2)
]


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


def queue(aws: Any, **attributes: str) -> tuple[str, str]:
    made = aws("sqs").create_queue(QueueName="q.fifo" if attributes else "q", Attributes=attributes)["QueueUrl"]
    known = aws("sqs").get_queue_attributes(QueueUrl=made, AttributeNames=["QueueArn"])
    return made, known["Attributes"]["QueueArn"]


def received(aws: Any, url: str) -> list[dict[str, Any]]:
    found = aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
    return found.get("Messages", [])  # type: ignore[no-any-return]


@pytest.mark.parametrize("fifo", [False, True])
def test_a_topic_gets_events_and_a_fifo_topic_keeps_their_order(aws: Any, fifo: bool) -> None:
    attributes = {"FifoTopic": "true"} if fifo else {}
    arn = aws("sns").create_topic(Name="t.fifo" if fifo else "t", Attributes=attributes)["TopicArn"]
    url, queue_arn = queue(aws, **({"FifoQueue": "true"} if fifo else {}))
    aws("sns").subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, Attributes={"RawMessageDelivery": "true"})
    topic = Topic(arn, REGION)
    for event in EVENTS:
        assert topic.wants(event)
        topic.send(event, event.at)
    messages = received(aws, url)
    assert sorted(json.loads(each["Body"])["data"]["sequence"] for each in messages) == [1, 2]
    assert [json.loads(each["Body"]) for each in messages if '"id1"' in each["Body"]] == [EVENTS[0].message()]
    if fifo:
        assert {each["Attributes"]["MessageGroupId"] for each in messages} == {"token"}
        assert {each["Attributes"]["MessageDeduplicationId"] for each in messages} == {"id1", "id2"}


def test_a_bus_gets_events_by_their_kinds(aws: Any) -> None:
    url, queue_arn = queue(aws)
    aws("events").create_event_bus(Name="bots")
    pattern = json.dumps({"source": ["keyturn"], "detail-type": ["permanent-token.rotated"]})
    aws("events").put_rule(Name="r", EventBusName="bots", EventPattern=pattern)
    aws("events").put_targets(Rule="r", EventBusName="bots", Targets=[{"Id": "q", "Arn": queue_arn}])
    Bus("bots", REGION).send(EVENTS[0], 0)
    (message,) = received(aws, url)
    detail = json.loads(message["Body"])["detail"]
    assert (detail["id"], detail["sequence"], detail["timestamp"]) == ("id1", 1, "2027-01-15T08:00:00.000Z")


def test_what_aws_refuses_is_sent_again_later(aws: Any) -> None:
    topic = Topic("arn:aws:sns:eu-central-1:123456789012:missing", REGION)
    with pytest.raises(NotDelivered, match="NotFound"):
        topic.send(EVENTS[0], 0)


def test_an_answer_that_names_failed_entries_is_a_failure(aws: Any) -> None:
    bus = Bus("bots", REGION)
    failed = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
    bus._client.put_events = lambda **asked: failed
    with pytest.raises(NotDelivered, match="ThrottlingException"):
        bus.send(EVENTS[0], 0)
