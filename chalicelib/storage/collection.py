"""Whole collections in order, a part at a time: the index gives keys, the table gives items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.paging import Page, Window
from chalicelib.core.common.search import MAX_COLLECTED, Order, Search, select
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item, batch_get_client
from chalicelib.storage.items import CounterItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from pynamodb.expressions.condition import Condition

MAX_COUNTED = 10_000

T = TypeVar("T")
M = TypeVar("M", bound=Item)


@dataclass(frozen=True, slots=True)
class SortedIndex:
    """An index of a collection: sorted by `field`. Only those whose position begins with `prefix`, or is equal.

    `counted`: counters know how many there are without a prefix.
    """

    collection: str
    field: str
    prefix: str = ""
    exact: bool = False
    counted: bool = True

    @property
    def condition(self) -> Condition | None:
        """What the position has to be."""
        if self.exact:
            return Item.position == self.prefix
        return Item.position.startswith(self.prefix) if self.prefix else None

    def is_in_order(self, search: Search) -> bool:
        """Whether the wanted order is that of the index, or the reverse."""
        return search.order in ((), (Order(self.field),), (Order(self.field, descending=True),))


def page_of(model: type[M], index: SortedIndex, thing: Callable[[M], T], window: Window, search: Search) -> Page[T]:
    """The members that `search` finds by key or name, as things of the core.

    Reads, if everything is wanted in the order of the index: one index query for every 1 MB of keys
    up to the window's end (some 8,000 members), one batch for the members, one query for the counters.
    Otherwise one index query and ten batches at most: raises Invalid for a larger collection.
    """
    if search.finds_everything and index.is_in_order(search):
        item_keys = keys_in(index, window, descending=search.descends)
        found = read(model, item_keys)
        return Page([thing(found[item_key]) for item_key in item_keys if item_key in found], count(index))
    item_keys = keys_in(index, Window(0, MAX_COLLECTED + 1))
    if len(item_keys) > MAX_COLLECTED:
        raise Invalid("query", f"cannot search more than {MAX_COLLECTED} members.")
    found = read(model, item_keys)
    things = [thing(found[item_key]) for item_key in item_keys if item_key in found]
    selected = select(things, search, ("key", "name") if index.field == "key" else ("name",))
    return Page(selected[window.skip : window.skip + window.top], len(selected))


def keys_in(index: SortedIndex, window: Window, descending: bool = False) -> list[keys.Key]:
    """The keys of the members in the window, in order."""
    if not window.top:
        return []
    entries = Item.by_collection.query(
        index.collection,
        index.condition,
        limit=window.skip + window.top,
        scan_index_forward=not descending,
    )
    return [(entry.pk, entry.sk) for entry in entries][window.skip :]


def read(model: type[M], item_keys: list[keys.Key]) -> dict[keys.Key, M]:
    """The items under these keys, strongly consistent; what is missing is left out."""
    if not item_keys:
        return {}
    raw = batch_get_client().items(Item.Meta.table_name, item_keys)
    items = model.batch_get(item_keys, consistent_read=True) if raw is None else map(model.from_raw_data, raw)
    return {(item.pk, item.sk): item for item in items}


def read_one(model: type[M], item_key: keys.Key) -> M | None:
    """The item under this key, strongly consistent, or None."""
    return read(model, [item_key]).get(item_key)


def count(index: SortedIndex) -> int:
    """How many members there are: one query, of the counters; or else two at most, of the index, and no more
    than MAX_COUNTED."""
    if index.prefix or not index.counted:
        return Item.by_collection.count(index.collection, index.condition, limit=MAX_COUNTED)
    pk, _ = keys.counter(index.collection, 0)
    return sum(int(counter.members) for counter in CounterItem.query(pk, consistent_read=True))
