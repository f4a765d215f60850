"""What hung on accounts and groups that are gone, cleared away in bounded pieces.

It is dead from the moment at which its account or group went. A mark, written in the transaction that deleted that,
stays until somebody has looked some time later and found nothing: whoever dies in the middle leaves the rest to the
next.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING

from chalicelib.core.access.transaction_limits import MAX_STEPS
from chalicelib.core.common.errors import StaleWrite, Unavailable
from chalicelib.core.directory.ports import Leftover
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import BY_NAME, SWEEPS, IndexEntryItem, MemberItem, SweepItem, members_of
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PIECE = 1_000  # items that one call removes


@translate_database_errors
class DynamoSweeps:
    """Implements `core.directory.ports.SweepStore`."""

    def waiting(self, before: int, top: int) -> list[Leftover]:
        marks = Item.by_collection.query(SWEEPS, Item.position <= f"{before:015d}#~", limit=top)
        return [Leftover(*mark.pk.split("#")[1:]) for mark in marks]

    def sweep(self, leftover: Leftover) -> bool:
        if read_one(Item, (_partition(leftover), keys.PROFILE)):
            return True  # it is still there, and so is what hangs on it
        left = list(itertools.islice(_left_by(leftover), PIECE))
        counted = [item for item in left if leftover.kind == "USER" and isinstance(item, MemberItem | IndexEntryItem)]
        for item in counted:
            _remove_counted(item)
        remove(item for item in left if item not in counted)
        return len(left) < PIECE

    def done(self, leftover: Leftover) -> None:
        SweepItem(*keys.sweep(_partition(leftover))).delete()


def sweep_after(transaction: Transaction, leftover: Leftover, now: int) -> None:
    """Commit the transaction, in which a thing goes, and remove a piece of what hung on it."""
    transaction.put(SweepItem.of(_partition(leftover), now))
    transaction.commit()
    with contextlib.suppress(Unavailable):  # it is gone: the mark says what is left to do
        DynamoSweeps().sweep(leftover)


def remove(items: Iterable[Item]) -> None:
    """All of these, whether they are still there or not, a transaction's steps at a time."""
    left = iter(items)
    while piece := list(itertools.islice(left, MAX_STEPS)):
        transaction = Transaction(None)
        for item in piece:
            transaction.delete(Item(item.pk, item.sk))
        transaction.commit()


def _partition(leftover: Leftover) -> str:
    return f"{leftover.kind}#{leftover.id}"


def _left_by(leftover: Leftover) -> Iterator[Item]:
    yield from Item.query(_partition(leftover), consistent_read=True)
    if leftover.kind == "GROUP":
        yield from Item.by_collection.query(members_of(leftover.id))


def _remove_counted(item: Item) -> None:
    """With its count, or neither: somebody else may be sweeping too."""
    transaction = Transaction(None)
    transaction.delete(Item(item.pk, item.sk), Item.pk.exists(), otherwise=StaleWrite())
    if item.collection and item.collection != BY_NAME:
        transaction.count(item.collection, -1)
    try:
        transaction.commit()
    except StaleWrite:
        return
