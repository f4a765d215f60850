"""What deserves a look among permanent tokens: those that nobody uses, those that are good for more than they are
used for, and those that are not as a policy wants them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from chalicelib.core.common.time import DAY_MS
from chalicelib.core.tokens.expiry_projection import project_expiry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.tokens.expiry_projection import ExpiryProjection
    from chalicelib.core.tokens.token import PermanentToken

NEW_MS = 7 * DAY_MS  # so long may pass until a token is used first
IDLE_MS = 90 * DAY_MS  # a quarter: what runs once in three months is not called idle


class Condition(Enum):
    """How a token is used."""

    EXPIRED = "expired"
    IN_USE = "in use"
    NEW = "new"
    IDLE = "idle"
    NEVER_USED = "never used"


class Flag(Enum):
    """What a token's owner should know of."""

    EXPIRED = "expired"
    DISABLED = "disabled"  # by a policy, for want of use
    UNUSED = "unused"
    ROTATION_DUE = "rotation-due"
    REUSED = "reused"
    LEAKED = "leaked"


@dataclass(frozen=True, slots=True)
class TokenFlags:
    """What there is to know, and what lies ahead."""

    flags: tuple[Flag, ...]
    projection: ExpiryProjection


def condition(token: PermanentToken, now: int) -> Condition:
    """How the token is used, at `now` in milliseconds since the epoch."""
    if token.has_ended(now):
        return Condition.EXPIRED
    if token.last_used is None:
        return Condition.NEW if now - token.created < NEW_MS else Condition.NEVER_USED
    return Condition.IDLE if now - token.last_used >= IDLE_MS else Condition.IN_USE


def unused_scope(token: PermanentToken) -> tuple[str, ...]:
    """The services of its scope at which it was never used; none of a token that was used nowhere yet."""
    if token.last_used is None:
        return ()
    return tuple(id for id in token.scope if id not in token.used_at)


def token_flags(token: PermanentToken, policies: Iterable[Policy], now: int) -> TokenFlags:
    """What there is to know of the token under these policies."""
    projection = project_expiry(token, policies)
    came = {
        Flag.EXPIRED: projection.ends,
        Flag.DISABLED: projection.disabled,
        Flag.UNUSED: projection.unused,
        Flag.ROTATION_DUE: projection.rotation_due,
        Flag.REUSED: token.reused,
        Flag.LEAKED: token.leaked,
    }
    return TokenFlags(tuple(flag for flag, at in came.items() if at is not None and now >= at), projection)
