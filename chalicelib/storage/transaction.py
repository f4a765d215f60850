"""All changes of one decision, with their audit record, in one DynamoDB transaction or not at all."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from chalicelib.core.access.transaction_limits import MAX_STEPS
from chalicelib.core.audit.idempotency import Replayed
from chalicelib.core.common.errors import StaleWrite, TooLarge, Unavailable
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.conditional_failures import error_code
from chalicelib.storage.engine.table import Item, connection
from chalicelib.storage.items import AuditItem, CounterItem, IdempotencyItem, NameItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

    from chalicelib.core.audit.records import AuditRecord

ATTEMPTS = 12
LONGEST_PAUSE_SECONDS = 0.4

Step = Callable[[TransactWrite], None]

_dry_run: ContextVar[bool] = ContextVar("dry_run", default=False)


@contextmanager
def dry_run(on: bool) -> Iterator[None]:
    """Within, transactions of this thread look at their conditions and write nothing (`core.stores.Stores.dry_run`)."""
    token = _dry_run.set(on)
    try:
        yield
    finally:
        _dry_run.reset(token)


@dataclass(frozen=True, slots=True)
class _Step:
    """`look` is the condition without the write, None where there is none."""

    write: Step
    look: Step | None
    otherwise: Exception | None


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
        self._checks: list[_Step] = []
        self._deletions: list[_Step] = []
        self._puts: list[_Step] = []
        self._updates: list[_Step] = []
        if audit:
            self.record(audit)
        if audit and audit.idempotency_key:
            self.create(IdempotencyItem.of(audit, audit.idempotency_key), otherwise=Replayed())

    def record(self, audit: AuditRecord) -> None:
        """Store an audit record; one more, where one decision is of two things."""
        self.create(AuditItem.of(audit), otherwise=StaleWrite())

    def check(self, item: Item, condition: Condition, otherwise: Exception) -> None:
        """The stored item must fulfil `condition`."""
        self._add(self._checks, _look(item, condition), item, condition, otherwise)

    def create(self, item: Item, otherwise: Exception) -> None:
        """Store `item`; nothing may be stored under its key."""
        self.replace(item, Item.pk.does_not_exist(), otherwise)

    def replace(self, item: Item, condition: Condition, otherwise: Exception) -> None:
        """Store `item` over one that fulfils `condition`."""
        self._add(self._puts, lambda write: write.save(item, condition=condition), item, condition, otherwise)

    def put(self, item: Item) -> None:
        """Store `item`, whatever is stored under its key; another condition guards the whole."""
        self._add(self._puts, lambda write: write.save(item), item)

    def delete(self, item: Item, condition: Condition | None = None, otherwise: Exception | None = None) -> None:
        """Remove the item under this item's key."""
        write: Step = lambda write: write.delete(item, condition=condition)  # noqa: E731
        self._add(self._deletions, write, item, condition, otherwise)

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
        self.put_into(CounterItem(*keys.counter(collection, random.randrange(keys.SHARDS))), _counting(change))

    def count_administrators(self, change: int, otherwise: Exception) -> None:
        """There are `change` administrators more; one must be left."""
        counter = CounterItem(*keys.ADMINISTRATORS)
        if change > 0:
            self.put_into(counter, _counting(change))
        else:
            self.update(counter, _counting(change), CounterItem.members > -change, otherwise)

    def put_into(self, item: Item, actions: list[Action]) -> None:
        """Change some attributes of an item that may not be there yet, whatever it holds."""
        self._add(self._updates, lambda write: write.update(item, actions), item)

    def update(self, item: Item, actions: list[Action], condition: Condition, otherwise: Exception) -> None:
        """Change some attributes of the stored item, which must fulfil `condition`."""
        write: Step = lambda write: write.update(item, actions, condition=condition)  # noqa: E731
        self._add(self._updates, write, item, condition, otherwise)

    def __len__(self) -> int:
        return len(self._steps)

    def _add(
        self,
        steps: list[_Step],
        write: Step,
        item: Item,
        condition: Condition | None = None,
        otherwise: Exception | None = None,
    ) -> None:
        if len(self) == MAX_STEPS:
            raise TooLarge
        steps.append(_Step(write, None if condition is None else _look(item, condition), otherwise))

    @property
    def _steps(self) -> list[_Step]:
        return [*self._checks, *self._deletions, *self._puts, *self._updates]

    def commit(self) -> None:
        """Write everything, or raise and write nothing. In a dry run, raise as it would, or do nothing."""
        if _dry_run.get():
            looks = [_Step(step.look, step.look, step.otherwise) for step in self._steps if step.look]
            if looks:
                _carry_out(looks)
        else:
            _carry_out(self._steps)


def _carry_out(steps: Sequence[_Step]) -> None:
    for attempt in range(ATTEMPTS):
        try:
            with TransactWrite(connection=connection()) as write:
                for step in steps:
                    step.write(write)
            return
        except TransactWriteError as error:
            _raise_refusal(error, steps)
            time.sleep(random.uniform(0, min(LONGEST_PAUSE_SECONDS, 0.01 * 2**attempt)))
    raise Unavailable("Other requests are changing the same resource. Nothing was changed. Try again.")


def _raise_refusal(error: TransactWriteError, steps: Sequence[_Step]) -> None:
    """Raise for the first condition that did not hold; return if there is only contention."""
    if not isinstance(error.cause, ClientError):  # no answer came: PynamoDB's error has no code to ask for
        raise error
    reasons = error.cancellation_reasons
    for reason, step in zip(reasons, steps, strict=False):
        if reason and reason.code == "ConditionalCheckFailed" and step.otherwise:
            raise step.otherwise from None
    contended = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}
    if error_code(error) == "TransactionInProgressException":
        return
    if not reasons or any(reason and reason.code not in contended for reason in reasons):
        raise error


def _look(item: Item, condition: Condition) -> Step:
    return lambda write: write.condition_check(type(item), item.pk, item.sk, condition)


def _counting(change: int) -> list[Action]:
    return [CounterItem.members.add(change), CounterItem.kind.set(CounterItem)]
