"""What older versions stored otherwise, brought into today's form: for an operator's command, never for a request.

Each migration looks at every item, changes those that need it, and may be repeated: one that is interrupted begins
anew. Older and newer code work on the table meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import StaleWrite
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import MigrationsItem, TokenItem
from chalicelib.storage.permanent_tokens import DynamoTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class Migration:
    """`change` brings one item into form, and says whether it had to."""

    number: int
    what: str
    change: Callable[[Item], bool]


def _into_the_index(item: Item) -> bool:
    """Tokens from before lifecycles are in no index, so nobody would warn before they end."""
    if not isinstance(item, TokenItem) or item.collection is not None:
        return False
    try:
        DynamoTokens().put_off(item.to_credential(), 0)
    except StaleWrite:
        return False  # changed meanwhile, and so put there
    return True


MIGRATIONS = (Migration(1, "Tokens are found by when they have to be looked at", _into_the_index),)


def waiting() -> list[Migration]:
    """Those that the table has not been through."""
    known = read_one(MigrationsItem, keys.MIGRATIONS)
    done = int(known.done) if known else 0
    return [each for each in MIGRATIONS if each.number > done]


def run(migrations: list[Migration]) -> Iterator[int]:
    """Go through the table once with all of these; yields, item by item, how many were changed for it."""
    for item in Item.scan(consistent_read=True):
        yield sum(each.change(item) for each in migrations)
    if migrations:
        MigrationsItem(*keys.MIGRATIONS, done=migrations[-1].number).save()
