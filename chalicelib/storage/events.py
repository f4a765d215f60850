"""Events, and how far they have got, in the table."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pynamodb.exceptions import PutError, UpdateError

from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.webhooks.ports import Queue, Waiting
from chalicelib.storage.collection import read
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import condition_failed
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import OUTGOING, EventItem, OutgoingItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

    from chalicelib.core.tokens.event import Event


@translate_database_errors
class DynamoEvents:
    """Implements `core.webhooks.ports.EventStore`."""

    def after(self, token_id: str, sequence: int, top: int) -> list[Event]:
        pk, lowest = keys.event(token_id, sequence)
        found = EventItem.query(pk, EventItem.sk > lowest, consistent_read=True, limit=top)
        return [item.to_event() for item in found]

    def add(self, event: Event) -> None:
        try:
            EventItem.of(event).save(condition=EventItem.pk.does_not_exist())
        except PutError as error:
            if not condition_failed(error):
                raise


@translate_database_errors
class DynamoQueues:
    """Implements `core.webhooks.ports.QueueStore`."""

    def take(self, destination_id: str, token_id: str, holder: str, now: int, until: int) -> Queue | None:
        item = OutgoingItem(*keys.outgoing(destination_id, token_id))
        actions: list[Action] = [
            OutgoingItem.kind.set(OutgoingItem),
            OutgoingItem.token_id.set(token_id),
            OutgoingItem.destination_id.set(destination_id),
            OutgoingItem.holder.set(holder),
            OutgoingItem.again.remove(),
            *_free_at(until, destination_id, token_id),
        ]
        is_free = OutgoingItem.free_at.does_not_exist() | (OutgoingItem.free_at <= now)
        if not _updated(item, actions, is_free):
            _updated(item, [OutgoingItem.again.set(True)], OutgoingItem.holder.exists())
            return None
        return Queue(destination_id, token_id, holder, int(item.sent or 0), int(item.attempts or 0))

    def advance(self, queue: Queue, now: int, until: int) -> Queue:
        actions: list[Action] = [
            OutgoingItem.sent.set(queue.sent),
            OutgoingItem.attempts.set(queue.attempts),
            *_free_at(until, queue.destination_id, queue.token_id),
        ]
        self._held(queue, actions)
        return queue

    def put_off(self, queue: Queue, until: int) -> None:
        actions: list[Action] = [
            OutgoingItem.sent.set(queue.sent),
            OutgoingItem.attempts.set(queue.attempts),
            OutgoingItem.holder.remove(),
            OutgoingItem.again.remove(),
            *_free_at(until, queue.destination_id, queue.token_id),
        ]
        self._held(queue, actions)

    def release(self, queue: Queue) -> bool:
        actions: list[Action] = [
            attribute.remove()
            for attribute in (
                OutgoingItem.holder,
                OutgoingItem.free_at,
                OutgoingItem.collection,
                OutgoingItem.position,
            )
        ]
        item = OutgoingItem(*keys.outgoing(queue.destination_id, queue.token_id))
        is_ours = OutgoingItem.holder == queue.holder
        if _updated(item, actions, is_ours & OutgoingItem.again.does_not_exist()):
            return True
        self._held(queue, [OutgoingItem.again.remove()])
        return False

    def waiting(self, now: int, top: int) -> Sequence[tuple[str, str]]:
        due = Item.position <= f"{now:015d}#~"
        found = Item.by_collection.query(OUTGOING, due, limit=top)
        return [(item.pk.partition("#")[2], item.sk) for item in found]

    def backlog(self, destination_id: str, top: int) -> Sequence[Waiting]:
        partition, _ = keys.outgoing(destination_id, "")
        index = Item.by_collection.query(OUTGOING, limit=top)
        item_keys = [(item.pk, item.sk) for item in index if item.pk == partition]
        found = read(OutgoingItem, item_keys)
        queues = [
            Waiting(
                item.sk, int(item.sent or 0), int(item.attempts or 0), int(item.free_at), held=item.holder is not None
            )
            for item in found.values()
            if item.free_at is not None  # emptied since
        ]
        return sorted(queues, key=lambda queue: (queue.due, queue.token_id))

    def hasten(self, destination_id: str, token_id: str, now: int) -> None:
        item = OutgoingItem(*keys.outgoing(destination_id, token_id))
        actions = [OutgoingItem.attempts.set(0), *_free_at(now, destination_id, token_id)]
        waits = OutgoingItem.free_at.exists() & OutgoingItem.holder.does_not_exist()
        transaction = Transaction(None)  # which a dry run leaves out: this is part of a change that somebody asks for
        transaction.update(item, actions, waits, otherwise=StaleWrite())
        with contextlib.suppress(StaleWrite):  # it was emptied, or is being sent
            transaction.commit()

    def _held(self, queue: Queue, actions: list[Action]) -> None:
        item = OutgoingItem(*keys.outgoing(queue.destination_id, queue.token_id))
        if not _updated(item, actions, OutgoingItem.holder == queue.holder):
            raise StaleWrite


def _free_at(moment: int, destination_id: str, token_id: str) -> list[Action]:
    """From when on somebody may take it, and by when the schedule finds it."""
    return [
        OutgoingItem.free_at.set(moment),
        OutgoingItem.collection.set(OUTGOING),
        OutgoingItem.position.set(keys.due(moment, f"{destination_id}#{token_id}")),
    ]


def _updated(item: OutgoingItem, actions: list[Action], condition: Condition) -> bool:
    try:
        item.update(actions, condition=condition)
    except UpdateError as error:
        if not condition_failed(error):
            raise
        return False
    return True
