"""What runs without anybody asking: after every change of the table, and every minute.

Both are Lambda functions of their own, which Chalice declares with the app. The stream's handler may be killed at any
point: AWS gives it the same records again.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from chalice.app import Rate

from chalicelib import telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalice.app import Chalice, CloudWatchEvent, DynamoDBEvent

    from chalicelib.composition.lifecycle import TokenLifecycle

    Handler = Callable[[dict[str, Any], object], Any]

# AWS names a stream when it makes the table, so an installation has to say it (docs/how-to/deploy.md).
STREAM = os.environ.get("KEYTURN_STREAM_ARN", "arn:aws:dynamodb:us-east-1:000000000000:table/keyturn/stream/not-set")
BATCH = 100
# Before a handler's time is over, it begins nothing more: what it has begun, a slow receiver and some writes, ends.
RESERVE_MS = 15_000


def register(app: Chalice) -> tuple[Handler, Handler]:
    """Add both to the app: the stream's, and that of every minute."""

    @app.on_dynamodb_record(stream_arn=STREAM, batch_size=BATCH, starting_position="TRIM_HORIZON", name="tell_events")
    def tell_events(event: DynamoDBEvent) -> None:
        records = event.to_dict()["Records"]
        until = _until(event.context)
        end_orphans(records)
        deliver_for(records, until)

    @app.schedule(Rate(1, unit=Rate.MINUTES), name="every_minute")
    def every_minute(event: CloudWatchEvent) -> dict[str, int]:
        return run(_until(event.context))

    return tell_events, every_minute


def deliver_for(records: Iterable[dict[str, Any]], until: int | None = None) -> None:
    """Send what these changes of the table wrote as events; `until` as `EventDelivery` has it."""
    images = (record["dynamodb"].get("NewImage", {}) for record in records if record["eventName"] == "INSERT")
    token_ids = [image["token_id"]["S"] for image in images if image.get("kind", {}).get("S") == "event"]
    if token_ids:
        _lifecycle().event_delivery.deliver(dict.fromkeys(token_ids), until)


def end_orphans(records: Iterable[dict[str, Any]]) -> None:
    """A token that went with its account leaves an event too. That of one that was deleted by itself is there, in the
    very place where this one would be."""
    for record in records:
        image = record["dynamodb"].get("OldImage", {})
        if record["eventName"] == "REMOVE" and image.get("kind", {}).get("S") == "token":
            from chalicelib.core.tokens.event import ended_with_account
            from chalicelib.storage.items import TokenItem

            item = TokenItem()
            item.deserialize(image)
            _lifecycle().events.add(ended_with_account(item.to_credential(), _now(), record["eventID"]))


def run(until: int | None = None) -> dict[str, int]:
    """Look at tokens that something is due for, sweep what deletions left, and send again what failed, for as long as
    there is reason to, but no longer than `until`. How many of each."""
    lifecycle = _lifecycle()
    done = {
        "raised": lifecycle.expiry_notices.run(_now()),
        "swept": lifecycle.sweeping.run(_now()),
        "resent": lifecycle.event_delivery.resend(until),  # which may stay
    }
    telemetry.write_line({"job": "every minute", **done})
    return done


def _until(context: Any) -> int | None:
    """When a handler has to begin nothing more, by Lambda's context of this call (its page "Using the Lambda context
    object"); None where there is none, as where Chalice runs locally."""
    if context is None:
        return None
    remaining: int = context.get_remaining_time_in_millis()
    return _now() + remaining - RESERVE_MS


def _now() -> int:
    return time.time_ns() // 1_000_000


def _lifecycle() -> TokenLifecycle:
    from chalicelib.composition.keyturn import keyturn

    return keyturn().lifecycle
