"""What sending events needs from storage and from outside. The rules of `core.stores` hold here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.tokens.event import Event
    from chalicelib.core.webhooks.webhook import GivenUp, Webhook


class NotDelivered(Exception):
    """A destination did not take an event; the message says why, without what was sent. `gone`: it never will."""

    def __init__(self, reason: str, gone: bool = False) -> None:
        super().__init__(reason)
        self.gone = gone


class Destination(Protocol):
    """Where events are sent."""

    @property
    def id(self) -> str: ...

    @property
    def failing(self) -> int | None:
        """Since when nothing reaches it, as far as that is kept; None also where nothing more is to be sent."""

    def accepts(self, event: Event) -> bool:
        """Whether this is sent to it."""

    def send(self, event: Event, now: int) -> None:
        """Raises NotDelivered."""

    def mark_delivered(self, now: int) -> None:
        """An event has arrived."""

    def failed(self, event: Event, reason: NotDelivered, given_up: bool, now: int) -> None:
        """It has not, and is sent again later unless it is `given_up`."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A token's events on their way to a destination, held by whoever sends them: `sent` is the sequence of the
    last one that is through, `attempts` how often the next one has failed."""

    destination_id: str
    token_id: str
    holder: str
    sent: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queue in which something waits, is being sent, or was left lying: since when nobody holds it, or from when on
    somebody may take it, in milliseconds since the epoch."""

    token_id: str
    sent: int
    attempts: int
    due: int
    held: bool


class EventStore(Protocol):
    """Events, as they were written with the changes that they are about."""

    def after(self, token_id: str, sequence: int, top: int) -> list[Event]:
        """The next ones of a token, in order."""

    def add(self, event: Event) -> None:
        """Store it, unless there is one in its place."""


class QueueStore(Protocol):
    """Queues. One holder at a time, and not for longer than it says."""

    def take(self, destination_id: str, token_id: str, holder: str, now: int, until: int) -> Queue | None:
        """The queue, held until then; None if somebody else holds it, or it waits. Whoever holds it will look again."""

    def advance(self, queue: Queue, now: int, until: int) -> Queue:
        """Store `sent` and `attempts`, and hold it on. Raises StaleWrite if it is held no more."""

    def put_off(self, queue: Queue, until: int) -> None:
        """Let go of it; nobody takes it before then. Raises StaleWrite."""

    def release(self, queue: Queue) -> bool:
        """Let go of it, unless somebody came meanwhile: then it is False. Raises StaleWrite."""

    def waiting(self, now: int, top: int) -> Sequence[tuple[str, str]]:
        """Destinations and tokens of queues that were put off until now, or whose holder is overdue."""

    def backlog(self, destination_id: str, top: int) -> Sequence[Waiting]:
        """The queues of a destination that are not empty, as far as is known, by when they are due. Of all
        destinations' queues, only the first `top` are looked at; not strongly consistent."""

    def hasten(self, destination_id: str, token_id: str, now: int) -> None:
        """If it waits, it is due at once, and its next event is as if it had never failed."""


class WebhookStore(Protocol):
    """Webhooks."""

    def list(self) -> Sequence[Webhook]:
        """All, by name. Strongly consistent, but for which there are."""

    def get(self, webhook_id: str) -> Webhook | None: ...

    def create(self, webhook: Webhook, audit: AuditRecord) -> None:
        """Raises Conflict (`name`) if another one has taken its `unique_name`."""

    def replace(self, old: Webhook, new: Webhook, audit: AuditRecord) -> None:
        """Store name, address, kinds and secrets, with the next revision. What is known of how it answers stays as it
        is stored; at another address, nothing is known. Raises StaleWrite if another revision is there, and Conflict
        as `create`."""

    def delete(self, webhook: Webhook, audit: AuditRecord) -> None:
        """Its name is free again. Raises StaleWrite if another revision is there, or none."""

    def update_system_fields(self, webhook: Webhook, given_up: GivenUp | None = None) -> None:
        """Store what is known of how it answers, if it is still there, and at this address. Once it is `gone`, it stays
        so; `succeeded` says nothing if it is None. `given_up` is what was given up just now: it becomes the last one,
        and is counted, whatever others have noted meanwhile."""
