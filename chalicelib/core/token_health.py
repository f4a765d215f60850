"""What deserves a look among permanent tokens: those that nobody uses, and those that are good for more than
they are used for. Nothing follows from it by itself."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from chalicelib.core.permanent_tokens import DAY_MS

if TYPE_CHECKING:
    from chalicelib.core.permanent_tokens import PermanentToken

NEW_MS = 7 * DAY_MS  # so long may pass until a token is used first
IDLE_MS = 90 * DAY_MS  # a quarter: what runs once in three months is not called idle


class Condition(Enum):
    """How a token is used."""

    EXPIRED = "expired"
    IN_USE = "in use"
    NEW = "new"
    IDLE = "idle"
    NEVER_USED = "never used"


def condition(token: PermanentToken, now: int) -> Condition:
    """How the token is used, at `now` in milliseconds since the epoch."""
    if token.has_expired(now):
        return Condition.EXPIRED
    if token.last_used is None:
        return Condition.NEW if now - token.created < NEW_MS else Condition.NEVER_USED
    return Condition.IDLE if now - token.last_used >= IDLE_MS else Condition.IN_USE


def unused_scope(token: PermanentToken) -> tuple[str, ...]:
    """The services of its scope at which it was never used; none of a token that was used nowhere yet."""
    if token.last_used is None:
        return ()
    return tuple(id for id in token.scope if id not in token.used_at)
