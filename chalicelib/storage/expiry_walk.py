"""How far all tokens have been looked at, in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.tokens.ports import Walk
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import stale_if_condition_failed
from chalicelib.storage.items import LifecycleItem

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action

    from chalicelib.storage.transaction import Transaction


@translate_database_errors
class DynamoWalk:
    """Implements `core.tokens.ports.WalkStore`."""

    def get(self) -> Walk:
        item = read_one(LifecycleItem, keys.LIFECYCLE)
        return Walk(int(item.wanted or 0), int(item.done or 0), item.after) if item else Walk()

    def went(self, walk: Walk) -> None:
        after = LifecycleItem.after
        actions: list[Action] = [
            LifecycleItem.done.set(walk.done),
            LifecycleItem.kind.set(LifecycleItem),
            after.set(walk.after) if walk.after else after.remove(),
        ]
        wanted = LifecycleItem.wanted
        unchanged = wanted == walk.wanted if walk.wanted else wanted.does_not_exist()
        with stale_if_condition_failed():
            LifecycleItem(*keys.LIFECYCLE).update(actions, condition=unchanged)


def look_at_all_tokens(transaction: Transaction, now: int) -> None:
    """What a policy says has changed for tokens that nobody names here."""
    actions: list[Action] = [
        LifecycleItem.wanted.set(now),
        LifecycleItem.after.remove(),
        LifecycleItem.kind.set(LifecycleItem),
    ]
    transaction.put_into(LifecycleItem(*keys.LIFECYCLE), actions)
