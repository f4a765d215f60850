"""What deleted accounts and groups have left is cleared away, should whoever deleted them have died meanwhile."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common.errors import Unavailable
from chalicelib.core.common.identifiers import KEYTURN

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.ports import SweepStore

SETTLED_MS = 15_000  # by then indexes show what was written before the deletion, and whoever deleted has finished
AT_ONCE = 25  # deleted accounts and groups in one run
MAX_PIECES = 20  # in one run


class Sweeping:
    """One run does a bounded amount of work; the next one goes on. Runs may overlap."""

    def __init__(self, sweeps: SweepStore, accounts: Accounts) -> None:
        self._sweeps = sweeps
        self._accounts = accounts

    def run(self, now: int) -> int:
        """Sweep, and release bots whose owners are gone. Of how many accounts and groups nothing is left."""
        done = pieces = 0
        for leftover in self._sweeps.waiting(now - SETTLED_MS, AT_ONCE):
            empty = False
            with contextlib.suppress(Unavailable):  # of one of them; the next run tries again
                record = functools.partial(_released, owner_id=leftover.id, now=now)
                released = self._accounts.release_bots_of(leftover.id, record)
                while not empty and pieces < MAX_PIECES:
                    empty, pieces = self._sweeps.sweep(leftover), pieces + 1
                if empty and released:
                    self._sweeps.done(leftover)
                    done += 1
        return done


def _released(bot: User, owner_id: str, now: int) -> AuditRecord:
    return AuditRecord(
        kind="user.owner-left",
        at=now,
        actor_id=KEYTURN,
        credential_id=owner_id,
        address="unknown",
        target_kind="user",
        target_id=bot.id,
        owner_id=bot.id,
        details={"owner": owner_id},
    )
