"""How far all tokens have been looked at, in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.tokens.ports import ExpirySweep
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import stale_if_condition_failed
from chalicelib.storage.items import ExpirySweepItem

if TYPE_CHECKING:
    from pynamodb.expressions.update import Action

    from chalicelib.storage.transaction import Transaction


@translate_database_errors
class DynamoExpirySweep:
    """Implements `core.tokens.ports.ExpirySweepStore`."""

    def get(self) -> ExpirySweep:
        item = read_one(ExpirySweepItem, keys.EXPIRY_SWEEP)
        return ExpirySweep(int(item.wanted or 0), int(item.done or 0), item.after) if item else ExpirySweep()

    def record_progress(self, sweep: ExpirySweep) -> None:
        after = ExpirySweepItem.after
        actions: list[Action] = [
            ExpirySweepItem.done.set(sweep.done),
            ExpirySweepItem.kind.set(ExpirySweepItem),
            after.set(sweep.after) if sweep.after else after.remove(),
        ]
        wanted = ExpirySweepItem.wanted
        unchanged = wanted == sweep.wanted if sweep.wanted else wanted.does_not_exist()
        with stale_if_condition_failed():
            ExpirySweepItem(*keys.EXPIRY_SWEEP).update(actions, condition=unchanged)


def look_at_all_tokens(transaction: Transaction, now: int) -> None:
    """What a policy says has changed for tokens that nobody names here."""
    actions: list[Action] = [
        ExpirySweepItem.wanted.set(now),
        ExpirySweepItem.after.remove(),
        ExpirySweepItem.kind.set(ExpirySweepItem),
    ]
    transaction.put_into(ExpirySweepItem(*keys.EXPIRY_SWEEP), actions)
