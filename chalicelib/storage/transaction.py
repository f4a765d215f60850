"""All changes of one decision, with their audit record, in one DynamoDB transaction or not at all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib.core.bounds import MAX_STEPS
from chalicelib.core.errors import StaleWrite, TooLarge, Unavailable
from chalicelib.core.once import AlreadyDone
from chalicelib.storage import keys
from chalicelib.storage.items import AuditItem, CounterItem, NameItem, OnceItem
from chalicelib.storage.refused import refusal_code
from chalicelib.storage.table import Item, connection

if TYPE_CHECKING:
    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

    from chalicelib.core.audit import AuditRecord

ATTEMPTS = 12
LONGEST_PAUSE_SECONDS = 0.4

Step = Callable[[TransactWrite], None]


class Transaction:
    """Collects writes; each says which exception means that its condition did not hold.

    One with more steps than DynamoDB takes cannot be built: the step too many raises TooLarge. Without an audit
    record it only clears away what a recorded change has left.

    `commit` raises that exception, with nothing written. When transactions of others touch the same
    items it tries again, and raises Unavailable only after some two seconds of losing. Each try
    carries a client request token of its own (botocore makes it), so botocore's repetition of a
    call whose answer was lost cannot write twice.
    """

    def __init__(self, audit: AuditRecord | None) -> None:
        # DynamoDB reports on steps in the order in which PynamoDB sends them: checks, deletions,
        # puts, updates.
        self._checks: list[tuple[Step, Exception | None]] = []
        self._deletions: list[tuple[Step, Exception | None]] = []
        self._puts: list[tuple[Step, Exception | None]] = []
        self._updates: list[tuple[Step, Exception | None]] = []
        if audit:
            self.record(audit)
        if audit and audit.once:
            self.create(OnceItem.of(audit, audit.once), otherwise=AlreadyDone())

    def record(self, audit: AuditRecord) -> None:
        """Store an audit record; one more, where one decision is of two things."""
        self.create(AuditItem.of(audit), otherwise=StaleWrite())

    def check(self, item: Item, condition: Condition, otherwise: Exception) -> None:
        """The stored item must fulfil `condition`."""
        self._add(self._checks, lambda write: write.condition_check(type(item), item.pk, item.sk, condition), otherwise)

    def create(self, item: Item, otherwise: Exception) -> None:
        """Store `item`; nothing may be stored under its key."""
        self._add(self._puts, lambda write: write.save(item, condition=Item.pk.does_not_exist()), otherwise)

    def replace(self, item: Item, condition: Condition, otherwise: Exception) -> None:
        """Store `item` over one that fulfils `condition`."""
        self._add(self._puts, lambda write: write.save(item, condition=condition), otherwise)

    def put(self, item: Item) -> None:
        """Store `item`, whatever is stored under its key; another condition guards the whole."""
        self._add(self._puts, lambda write: write.save(item), None)

    def delete(self, item: Item, condition: Condition | None = None, otherwise: Exception | None = None) -> None:
        """Remove the item under this item's key."""
        self._add(self._deletions, lambda write: write.delete(item, condition=condition), otherwise)

    def take_name(self, key: keys.Key, holder_id: str, otherwise: Exception) -> None:
        """A unique name is taken from now on."""
        self.create(NameItem(*key, holder_id=holder_id), otherwise)

    def pass_name(self, key: keys.Key, holder_id: str, next_id: str, otherwise: Exception) -> None:
        """A unique name that its holder has is another's from now on."""
        self.replace(NameItem(*key, holder_id=next_id), NameItem.holder_id == holder_id, otherwise)

    def free_name(self, key: keys.Key) -> None:
        """A unique name may be taken again."""
        self.delete(NameItem(*key))

    def count(self, collection: str, change: int) -> None:
        """A collection has `change` members more. One of several counters, by chance, keeps it."""
        counter = CounterItem(*keys.counter(collection, random.randrange(keys.SHARDS)))
        self._add(self._updates, lambda write: write.update(counter, _counting(change)), None)

    def count_administrators(self, change: int, otherwise: Exception) -> None:
        """There are `change` administrators more; one must be left."""
        counter = CounterItem(*keys.ADMINISTRATORS)
        condition = None if change > 0 else CounterItem.members > -change
        self._add(self._updates, lambda write: write.update(counter, _counting(change), condition=condition), otherwise)

    def put_into(self, item: Item, actions: list[Action]) -> None:
        """Change some attributes of an item that may not be there yet, whatever it holds."""
        self._add(self._updates, lambda write: write.update(item, actions), None)

    def update(self, item: Item, actions: list[Action], condition: Condition, otherwise: Exception) -> None:
        """Change some attributes of the stored item, which must fulfil `condition`."""
        self._add(self._updates, lambda write: write.update(item, actions, condition=condition), otherwise)

    def __len__(self) -> int:
        return len(self._steps)

    def _add(self, steps: list[tuple[Step, Exception | None]], step: Step, otherwise: Exception | None) -> None:
        if len(self) == MAX_STEPS:
            raise TooLarge
        steps.append((step, otherwise))

    @property
    def _steps(self) -> list[tuple[Step, Exception | None]]:
        return [*self._checks, *self._deletions, *self._puts, *self._updates]

    def commit(self) -> None:
        """Write everything, or raise and write nothing."""
        for attempt in range(ATTEMPTS):
            try:
                with TransactWrite(connection=connection()) as write:
                    for step, _ in self._steps:
                        step(write)
                return
            except TransactWriteError as error:
                self._raise_refusal(error)
                time.sleep(random.uniform(0, min(LONGEST_PAUSE_SECONDS, 0.01 * 2**attempt)))
        raise Unavailable("Others are changing the same thing at the moment. Nothing was changed; try again.")

    def _raise_refusal(self, error: TransactWriteError) -> None:
        """Raise for the first condition that did not hold; return if there is only contention."""
        if not isinstance(error.cause, ClientError):  # no answer came: PynamoDB's error has no code to ask for
            raise error
        reasons = error.cancellation_reasons
        for reason, (_, otherwise) in zip(reasons, self._steps, strict=False):
            if reason and reason.code == "ConditionalCheckFailed" and otherwise:
                raise otherwise from None
        contended = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
        if refusal_code(error) == "TransactionInProgressException":
            return
        if not reasons or any(reason and reason.code not in contended for reason in reasons):
            raise error


def _counting(change: int) -> list[Action]:
    return [CounterItem.members.add(change), CounterItem.kind.set(CounterItem)]
