"""What happened to tokens, where it is sent, and how far that has got."""

from __future__ import annotations

import json

from pynamodb.attributes import BooleanAttribute, JSONAttribute, ListAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.core.secrets.previous_secrets import PreviousSecret
from chalicelib.core.tokens.event import EVENTS_KEPT_MS, TOKEN, Event, EventKind
from chalicelib.core.webhooks.webhook import GivenUp, Webhook
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items.credentials import moment

WEBHOOKS = "WEBHOOKS"
OUTGOING = "OUTGOING"  # what waits to be sent again, by when


class EventItem(Item, discriminator="event"):
    id = UnicodeAttribute()
    event_kind = UnicodeAttribute()
    at = NumberAttribute()
    token_id = UnicodeAttribute()
    sequence = NumberAttribute()
    owner_id = UnicodeAttribute()
    actor_id = UnicodeAttribute()
    token = JSONAttribute()
    details = JSONAttribute()
    about = UnicodeAttribute(null=True)

    @classmethod
    def of(cls, event: Event) -> EventItem:
        return cls(
            *keys.event(event.token_id, event.sequence),
            id=event.id,
            event_kind=event.kind.value,
            at=event.at,
            token_id=event.token_id,
            sequence=event.sequence,
            owner_id=event.owner_id,
            actor_id=event.actor_id,
            token=dict(event.token),
            details=dict(event.details),
            about=None if event.about == TOKEN else event.about,
            expires=moment(event.at + EVENTS_KEPT_MS),
        )

    def to_event(self) -> Event:
        return Event(
            id=self.id,
            kind=EventKind(self.event_kind),
            at=int(self.at),
            token_id=self.token_id,
            sequence=int(self.sequence),
            owner_id=self.owner_id,
            actor_id=self.actor_id,
            token=self.token,
            details=self.details,
            about=self.about or TOKEN,
        )


class OutgoingItem(Item, discriminator="outgoing"):
    """How far one token's events have got to one destination. `holder` sends them, until `free_at`; without one, they
    wait until then. `again` says that somebody else came meanwhile."""

    token_id = UnicodeAttribute(null=True)
    destination_id = UnicodeAttribute(null=True)
    sent = NumberAttribute(null=True)
    attempts = NumberAttribute(null=True)
    holder = UnicodeAttribute(null=True)
    free_at = NumberAttribute(null=True)
    again = BooleanAttribute(null=True)


class WebhookItem(Item, discriminator="webhook"):
    """`previous_secrets` and `given_up` are JSON. What came with version after version is not there in older items."""

    id = UnicodeAttribute()
    name = UnicodeAttribute()
    url = UnicodeAttribute()
    kinds: ListAttribute[str] = ListAttribute(of=UnicodeAttribute)  # type: ignore[arg-type]
    encrypted_secret = UnicodeAttribute()
    created = NumberAttribute()
    failing = NumberAttribute(null=True)
    problem = UnicodeAttribute(null=True)
    gone = BooleanAttribute(null=True)
    rotated = NumberAttribute(null=True)
    previous_secrets = UnicodeAttribute(null=True, attr_name="earlier")
    retired_secrets: ListAttribute[str] = ListAttribute(of=UnicodeAttribute, null=True, attr_name="dead")  # type: ignore[arg-type]
    succeeded = NumberAttribute(null=True)
    given_up = UnicodeAttribute(null=True)
    given_ups = NumberAttribute(null=True)
    revision = NumberAttribute(null=True)

    @classmethod
    def of(cls, webhook: Webhook) -> WebhookItem:
        return cls(
            *keys.webhook(webhook.id),
            id=webhook.id,
            name=webhook.name,
            url=webhook.url,
            kinds=[each.value for each in webhook.kinds],
            encrypted_secret=webhook.encrypted_secret,
            created=webhook.created,
            failing=webhook.failing,
            problem=webhook.problem,
            gone=webhook.gone or None,
            rotated=webhook.rotated,
            previous_secrets=_previous_text(webhook),
            retired_secrets=list(webhook.retired_secrets) or None,
            succeeded=webhook.succeeded,
            given_up=given_up_text(webhook.given_up) if webhook.given_up else None,
            given_ups=webhook.given_ups or None,
            revision=webhook.revision,
            collection=WEBHOOKS,
            position=keys.sortable(webhook.name),
        )

    def to_webhook(self) -> Webhook:
        return Webhook(
            id=self.id,
            name=self.name,
            url=self.url,
            kinds=tuple(map(EventKind, self.kinds)),
            encrypted_secret=self.encrypted_secret,
            created=int(self.created),
            failing=None if self.failing is None else int(self.failing),
            problem=self.problem,
            gone=bool(self.gone),
            rotated=None if self.rotated is None else int(self.rotated),
            previous_secrets=tuple(PreviousSecret(*each) for each in json.loads(self.previous_secrets or "[]")),
            retired_secrets=tuple(self.retired_secrets or ()),
            succeeded=None if self.succeeded is None else int(self.succeeded),
            given_up=GivenUp(*json.loads(self.given_up)) if self.given_up else None,
            given_ups=int(self.given_ups or 0),
            revision=int(self.revision or 1),
        )


def _previous_text(webhook: Webhook) -> str | None:
    previous_secrets = [[each.stored, each.since, each.until] for each in webhook.previous_secrets]
    return json.dumps(previous_secrets) if previous_secrets else None


def given_up_text(lost: GivenUp) -> str:
    """What was given up last as one attribute."""
    return json.dumps([lost.event_id, lost.kind, lost.token_id, lost.at, lost.problem])


class ExpirySweepItem(Item, discriminator="lifecycle"):
    """How far tokens have been looked at since policies were changed: `wanted` is when that was."""

    wanted = NumberAttribute(null=True)
    done = NumberAttribute(null=True)
    after = UnicodeAttribute(null=True)
