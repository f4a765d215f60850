"""Whole collections in order, a part at a time: the index gives keys, the table gives items."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chalicelib.storage import keys
from chalicelib.storage.items import CounterItem
from chalicelib.storage.table import Item

if TYPE_CHECKING:
    from chalicelib.core.paging import Window

M = TypeVar("M", bound=Item)


def page_of(model: type[M], collection: str, window: Window) -> tuple[list[M], int]:
    """The members in the window, in order, and how many members there are in all.

    Reads: one index query for every 1 MB of keys up to the window's end (some 8,000 members),
    one batch for the members, one query for the counters.
    """
    places = places_in(collection, window)
    found = read(model, places)
    return [found[place] for place in places if place in found], count(collection)


def places_in(collection: str, window: Window) -> list[keys.Key]:
    """The keys of the members in the window, in order."""
    index = Item.by_collection.query(collection, limit=window.skip + window.top)
    return [(entry.pk, entry.sk) for entry in index][window.skip :]


def read(model: type[M], places: list[keys.Key]) -> dict[keys.Key, M]:
    """The items under these keys, strongly consistent; what is missing is left out."""
    if not places:
        return {}
    return {(item.pk, item.sk): item for item in model.batch_get(places, consistent_read=True)}


def read_one(model: type[M], place: keys.Key) -> M | None:
    """The item under this key, strongly consistent, or None."""
    try:
        return model.get(*place, consistent_read=True)
    except model.DoesNotExist:
        return None


def count(collection: str) -> int:
    """How many members there are: one query, strongly consistent."""
    pk, _ = keys.counter(collection, 0)
    return sum(int(counter.members) for counter in CounterItem.query(pk, consistent_read=True))
