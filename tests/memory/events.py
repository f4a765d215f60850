"""Events, the queues in which they leave, and webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.tokens.event import Event
from chalicelib.core.webhooks.ports import Queue, Waiting
from chalicelib.core.webhooks.webhook import GivenUp, Webhook, name_taken
from tests.memory.database import Database, Key, is_current

HEALTH = ("failing", "problem", "gone", "succeeded", "given_up", "given_ups")  # what is known of how a webhook answers


class MemoryEvents:
    """Implements `core.webhooks.ports.EventStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def after(self, token_id: str, sequence: int, top: int) -> list[Event]:
        found: Iterator[Event] = self._database.below("event", token_id)
        return sorted((each for each in found if each.sequence > sequence), key=lambda each: each.sequence)[:top]

    def add(self, event: Event) -> None:
        with self._database.lock:
            self._database.things.setdefault(("event", event.token_id, f"{event.sequence:012d}"), event)


@dataclass(frozen=True)
class StoredQueue:
    """`holder` has it until `free_at`, or it waits until then; free for all if that is None."""

    queue: Queue
    holder: str | None
    free_at: int | None
    again: bool = False


class MemoryQueues:
    """Implements `core.webhooks.ports.QueueStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, destination_id: str, token_id: str, holder: str, now: int, until: int) -> Queue | None:
        if self._database.is_dry_run:
            return None
        key = ("queue", destination_id, token_id)
        with self._database.lock:
            known: StoredQueue | None = self._database.get(*key)
            if known and known.free_at is not None and known.free_at > now:
                if known.holder is not None:
                    self._database.things[key] = replace(known, again=True)
                return None
            queue = replace(known.queue if known else Queue(destination_id, token_id, holder), holder=holder)
            self._database.things[key] = StoredQueue(queue, holder, until)
            return queue

    def advance(self, queue: Queue, now: int, until: int) -> Queue:
        with self._database.lock:
            self._database.things[_key(queue)] = replace(self._held(queue), queue=queue, free_at=until)
        return queue

    def put_off(self, queue: Queue, until: int) -> None:
        with self._database.lock:
            self._held(queue)
            self._database.things[_key(queue)] = StoredQueue(queue, None, until)

    def release(self, queue: Queue) -> bool:
        with self._database.lock:
            held = self._held(queue)
            if held.again:
                self._database.things[_key(queue)] = replace(held, again=False)
                return False
            self._database.things[_key(queue)] = StoredQueue(held.queue, None, None)
            return True

    def waiting(self, now: int, top: int) -> Sequence[tuple[str, str]]:
        with self._database.lock:
            queues: list[StoredQueue] = list(self._database.below("queue"))
        due = [
            (each.free_at, each.queue.destination_id, each.queue.token_id)
            for each in queues
            if each.free_at is not None and each.free_at <= now
        ]
        return [(destination_id, token_id) for _, destination_id, token_id in sorted(due)[:top]]

    def backlog(self, destination_id: str, top: int) -> Sequence[Waiting]:
        with self._database.lock:
            queues: list[StoredQueue] = list(self._database.below("queue"))
        found = sorted(
            ((each.free_at, each.queue.destination_id, each.queue.token_id), each)
            for each in queues
            if each.free_at is not None
        )
        return [
            Waiting(token_id, each.queue.sent, each.queue.attempts, due, each.holder is not None)
            for (due, destination, token_id), each in found[:top]
            if destination == destination_id
        ]

    def hasten(self, destination_id: str, token_id: str, now: int) -> None:
        if self._database.is_dry_run:
            return
        key = ("queue", destination_id, token_id)
        with self._database.lock:
            known: StoredQueue | None = self._database.get(*key)
            if known and known.free_at is not None and known.holder is None:
                self._database.things[key] = replace(known, queue=replace(known.queue, attempts=0), free_at=now)

    def _held(self, queue: Queue) -> StoredQueue:
        known: StoredQueue | None = self._database.get(*_key(queue))
        if known is None or known.holder != queue.holder:
            raise StaleWrite
        return known


class MemoryWebhooks:
    """Implements `core.webhooks.ports.WebhookStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> Sequence[Webhook]:
        found: Iterator[Webhook] = self._database.below("webhook")
        return sorted(found, key=lambda webhook: (webhook.name.casefold(), webhook.id))

    def get(self, webhook_id: str) -> Webhook | None:
        webhook: Webhook | None = self._database.get("webhook", webhook_id)
        return webhook

    def create(self, webhook: Webhook, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.create(("webhook", webhook.id), webhook)
            change.take_name(_name(webhook), webhook.id, name_taken(webhook))

    def replace(self, old: Webhook, new: Webhook, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            stored = self.get(old.id)
            unknown = {"failing": None, "problem": None, "gone": False}
            known = {name: getattr(stored, name, None) for name in HEALTH} | (unknown if new.url != old.url else {})
            holds = stored is not None and stored.revision == old.revision
            change.update(("webhook", new.id), replace(new, **known), holds)
            if old.unique_name != new.unique_name:
                change.delete(_name(old))
                change.take_name(_name(new), new.id, name_taken(new))

    def delete(self, webhook: Webhook, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.delete(("webhook", webhook.id), is_current(self.get(webhook.id), webhook))
            change.delete(_name(webhook))

    def update_system_fields(self, webhook: Webhook, given_up: GivenUp | None = None) -> None:
        with self._database.change() as change:
            stored = self.get(webhook.id)
            if stored and stored.url == webhook.url:
                updated = replace(
                    stored,
                    failing=webhook.failing,
                    problem=webhook.problem,
                    gone=stored.gone or webhook.gone,
                    succeeded=stored.succeeded if webhook.succeeded is None else webhook.succeeded,
                )
                if given_up:
                    updated = replace(updated, given_up=given_up, given_ups=stored.given_ups + 1)
                change.put(("webhook", webhook.id), updated)


def _key(queue: Queue) -> Key:
    return ("queue", queue.destination_id, queue.token_id)


def _name(webhook: Webhook) -> Key:
    return ("webhook's name", webhook.unique_name)
