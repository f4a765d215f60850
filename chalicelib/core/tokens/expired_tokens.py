"""Permanent tokens that have ended: an end is final, and the name is free.

Nothing changes such a token any more but its deletion. A change would make a secret that is dead from the start, or
bring back to life what everybody took for dead: its secrets may lie where nobody looks after them since. What takes its
name, a new token or another one that is renamed, deletes it in the same transaction: so a token that is made anew each
time is one token in all lists, and the audit log has the others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, NameTaken
from chalicelib.core.common.time import rfc3339
from chalicelib.core.tokens.ports import Displaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.tokens.ports import TokenStore
    from chalicelib.core.tokens.token import PermanentToken


def require_not_ended(token: PermanentToken, now: int) -> None:
    """Raises Conflict, which says what to do. `now` in milliseconds since the epoch."""
    if token.expires is not None and token.has_ended(now):
        raise Conflict(
            f"This token expired at {rfc3339(token.expires)} and cannot be changed. "
            "Create a new token: the name is free."
        )


def taking_name(
    tokens: TokenStore, caller: Caller, owner: User, name: str, write: Callable[[Displaced | None], None]
) -> None:
    """`write` what takes the name; where an ended token has that, once more in its place. So nothing more is read where
    the name is free. Raises NameTaken, or what `write` raises."""
    try:
        write(None)
    except NameTaken:
        holder = tokens.named(owner.id, name)
        if holder is None or not holder.has_ended(caller.now):
            raise
        write(_displaced(caller, holder))


def labels_of(displaced: Displaced | None) -> int:
    """How many labels go with it."""
    return len(displaced.token.labels) if displaced else 0


def _displaced(caller: Caller, token: PermanentToken) -> Displaced:
    """With the record of its deletion, by whoever takes its name."""
    details = {"name": token.name, "reason": "it had expired, and its name was reused"}
    permit = caller.require(Operation.DELETE_TOKEN, token.user_id)
    record = permit.record("permanent-token.deleted", "permanent-token", token.id, token.user_id, details)
    return Displaced(token, replace(record, idempotency_key=None))  # the request's key stands for what it makes
