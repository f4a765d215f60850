"""Permanent tokens: a named credential of one account, good for a list of services."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.errors import Invalid

if TYPE_CHECKING:
    from chalicelib.core.credentials.sealing import SealedSecret

MAX_SCOPE = 100
MAX_EARLIER = 9  # secrets that are good besides the current one
DAY_MS = 24 * 3600 * 1000
LONGEST_GRACE_MS = 90 * DAY_MS
LONGEST_LIFE_MS = 10 * 365 * DAY_MS  # of a token that expires; what is to live longer need not expire


def expiry(moment: int | None, now: int) -> int | None:
    """When a token is to expire, in milliseconds since the epoch; None: not at all. Raises Invalid."""
    if moment is not None and not now < moment <= now + LONGEST_LIFE_MS:
        raise Invalid("expiresOn", f"must be in the future, and within {LONGEST_LIFE_MS // (365 * DAY_MS)} years.")
    return moment


@dataclass(frozen=True, slots=True)
class EarlierSecret:
    """A secret that was superseded: good from `since` until `until`, in milliseconds since the epoch."""

    sealed: SealedSecret
    since: int
    until: int


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
    rotated: int | None = None  # when the current secret was made, if it is not the first
    earlier: tuple[EarlierSecret, ...] = ()  # oldest first
    expires: int | None = None  # milliseconds since the epoch; most do not expire
    revision: int = 1

    def has_expired(self, now: int) -> bool:
        """Whether its end has come, with all its secrets."""
        return self.expires is not None and now >= self.expires

    def live(self, now: int) -> tuple[EarlierSecret, ...]:
        """The earlier secrets that are still good."""
        return tuple(each for each in self.earlier if now < each.until)

    def rotated_to(self, sealed: SealedSecret, grace_ms: int, now: int) -> PermanentToken:
        """With another current secret. The one before goes on for `grace_ms`, and those before that until the ends
        that they have; without grace, all of them end at once."""
        since = self.created if self.rotated is None else self.rotated
        superseded = EarlierSecret(self.secret, since, now + grace_ms)
        earlier = (*self.live(now), superseded) if grace_ms else ()
        return replace(self, secret=sealed, rotated=now, earlier=earlier, revision=self.revision + 1)
