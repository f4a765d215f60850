"""An event on its way to a topic of SNS, or to a bus of EventBridge.

Sources: AWS's pages "Publish" of the SNS API (a FIFO topic keeps the order in a message group, and knows repeated
messages by their deduplication ids) and "PutEvents" of the EventBridge API (an answer may be 200 and yet name entries
that failed).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.core.webhooks.ports import NotDelivered

if TYPE_CHECKING:
    from chalicelib.core.tokens.event import Event

SOURCE = "keyturn"


class _AwsDestination:
    """What the two have in common: they are sent everything."""

    def __init__(self, service: str, target: str, region: str) -> None:
        self._target = target
        self.id = service
        self._failing: int | None = None
        config = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 2})
        self._client: Any = botocore.session.get_session().create_client(service, region_name=region, config=config)

    @property
    def failing(self) -> int | None:
        """As far as this process knows, which keeps the destination: nothing else does."""
        return self._failing

    def accepts(self, event: Event) -> bool:
        """Subscribers filter by themselves."""
        return True

    def send(self, event: Event, now: int) -> None:
        """Raises NotDelivered, with the name of what went wrong alone."""
        try:
            self._publish(event)
        except ClientError as error:
            raise NotDelivered(str(error.response["Error"]["Code"])) from None
        except BotoCoreError as error:
            raise NotDelivered(type(error).__name__) from None

    def _publish(self, event: Event) -> None:
        raise NotImplementedError

    def mark_delivered(self, now: int) -> None:
        """AWS keeps its own account of what arrived."""
        self._failing = None

    def failed(self, event: Event, reason: NotDelivered, given_up: bool, now: int) -> None:
        """As `mark_delivered`."""
        self._failing = self._failing or now


class Topic(_AwsDestination):
    """A topic of SNS, by its ARN."""

    def __init__(self, arn: str, region: str) -> None:
        super().__init__("sns", arn, region)

    def _publish(self, event: Event) -> None:
        message: dict[str, Any] = {
            "TopicArn": self._target,
            "Message": json.dumps(event.message(), ensure_ascii=False),
            "MessageAttributes": {"type": {"DataType": "String", "StringValue": event.kind.value}},
        }
        if self._target.endswith(".fifo"):
            message |= {"MessageGroupId": event.token_id, "MessageDeduplicationId": event.id}
        self._client.publish(**message)


class Bus(_AwsDestination):
    """A bus of EventBridge, by its name or ARN."""

    def __init__(self, name: str, region: str) -> None:
        super().__init__("events", name, region)

    def _publish(self, event: Event) -> None:
        message = event.message()
        entry = {
            "EventBusName": self._target,
            "Source": SOURCE,
            "DetailType": event.kind.value,
            "Detail": json.dumps(message["data"] | {"timestamp": message["timestamp"]}, ensure_ascii=False),
        }
        answer = self._client.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise NotDelivered(str(answer["Entries"][0].get("ErrorCode")))
