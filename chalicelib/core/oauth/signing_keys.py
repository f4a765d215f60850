"""When which key signs access tokens, and which are published: they overlap, so that nobody notices.

A new key is published for a while before it signs, since services remember what was published; an old one
stays published until everything that it signed has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from chalicelib.core.oauth.access_tokens import LIFETIME_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

PUBLISHED_AHEAD_MS = 3600 * 1000
CACHED_MS = 15 * 60_000  # how long services may remember the published keys
SKEW_MS = 60_000


class Algorithm(Enum):
    """How access tokens are signed (RFC 7518 section 3.4, RFC 8037 section 3.1)."""

    ES256 = "ES256"
    EDDSA = "EdDSA"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key. `jwk` is the private one (RFC 7517); `signs_from` in milliseconds since the epoch."""

    id: str
    algorithm: Algorithm
    signs_from: int
    jwk: dict[str, Any]

    def __repr__(self) -> str:  # it must not show the key
        return f"SigningKey({self.id!r}, {self.algorithm}, {self.signs_from})"


def current(keys: Sequence[SigningKey], now: int) -> SigningKey | None:
    """The key that signs now: the newest that may. None if there is none."""
    return max((key for key in keys if key.signs_from <= now), key=lambda key: key.signs_from, default=None)


def published(keys: Sequence[SigningKey], now: int) -> list[SigningKey]:
    """The keys with which anything that is still good may be, or soon will be, signed; newest first."""
    newest_first = sorted(keys, key=lambda key: key.signs_from, reverse=True)
    kept = []
    for index, key in enumerate(newest_first):
        successor = newest_first[index - 1] if index else None
        if successor is None or now < successor.signs_from + LIFETIME_MS + SKEW_MS:
            kept.append(key)
    return kept


def first_moment(keys: Sequence[SigningKey], now: int) -> int:
    """When a key that is added now begins to sign: at once if it is the first.

    That is from the beginning of this second, since tokens are issued in whole seconds.
    """
    return now + PUBLISHED_AHEAD_MS if current(keys, now) else now - now % 1000
