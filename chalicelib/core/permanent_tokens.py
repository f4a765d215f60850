"""Permanent tokens: a named credential of one account, good for a list of services."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.core.credentials.sealing import SealedSecret

MAX_SCOPE = 100


@dataclass(frozen=True, slots=True)
class PermanentToken:
    """A token at rest. `scope` holds service ids, and `used_at` those of services where it was used at least once;
    `author_name` is as it was at creation."""

    id: str
    user_id: str
    name: str
    scope: tuple[str, ...]
    author_id: str
    author_name: str
    created: int  # milliseconds since the epoch
    secret: SealedSecret
    last_used: int | None = None  # milliseconds since the epoch, no finer than LAST_USED_WINDOW_MS
    used_at: frozenset[str] = frozenset()
    revision: int = 1
