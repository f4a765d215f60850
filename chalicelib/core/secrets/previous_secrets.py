"""Secrets of one holder that overlap: the current one, and earlier ones that go on until their ends.

Who holds them (a permanent token, a service, a webhook) keeps the parts in its own record; the rule is here, whatever
they rest as: hashed (`HashedSecret`), or encrypted. ADR 17 has the reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from chalicelib.core.common.errors import Conflict, Invalid
from chalicelib.core.common.time import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

S = TypeVar("S")  # a secret at rest
MAX_EARLIER = 9  # secrets that are good besides the current one
MAX_DEAD = 8  # superseded secrets that are still recognised after their end; an item stays below 4 KB
LONGEST_GRACE_MS = 90 * DAY_MS
LEAST_OVERLAP_MS = DAY_MS  # of a secret that an earlier one supersedes: what uses it once a day finds it good


def require_grace(grace_ms: int) -> None:
    """That a secret may go on for so many milliseconds after it was superseded. Raises Invalid (`grace`)."""
    if not 0 <= grace_ms <= LONGEST_GRACE_MS:
        raise Invalid("grace", f"must be from 0 to {LONGEST_GRACE_MS // DAY_MS} days.")


@dataclass(frozen=True, slots=True)
class EarlierSecret(Generic[S]):
    """A secret that was superseded: good from `since` until `until`, in milliseconds since the epoch."""

    stored: S
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class RetiredSecret(Generic[S]):
    """A secret that has ended and is still recognised. `since`: when it was made, in milliseconds since the epoch; 0 of
    one that ended before that was kept. `rolled_back`: it was given up by whoever made it, for one that is older."""

    stored: S
    since: int = 0
    rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class Secrets(Generic[S]):
    """The secrets of one holder. The current one was made at `since`, in milliseconds since the epoch, by which secrets
    are told apart."""

    current: S
    since: int
    earlier: tuple[EarlierSecret[S], ...] = ()  # oldest first
    dead: tuple[RetiredSecret[S], ...] = ()  # that were superseded and have ended; the last MAX_DEAD, oldest first

    def live(self, now: int) -> tuple[EarlierSecret[S], ...]:
        """The earlier secrets that are still good."""
        return tuple(each for each in self.earlier if now < each.until)

    def superseded(self, since: int | None, now: int) -> EarlierSecret[S] | None:
        """The earlier secret that was made at `since`, if it is still good."""
        return next((each for each in self.live(now) if each.since == since), None)

    def has(self, since: int, now: int) -> bool:
        """Whether the secret that was made at `since` is still good."""
        return since == self.since or self.superseded(since, now) is not None

    @property
    def past(self) -> tuple[RetiredSecret[S], ...]:
        """Those that were current before, as far as they are remembered, good or not."""
        return (*self.dead, *(RetiredSecret(each.stored, each.since) for each in self.earlier))

    def retired(self, now: int) -> tuple[RetiredSecret[S], ...]:
        """Those that are not good any more, as far as they are remembered."""
        return (*self.dead, *(RetiredSecret(each.stored, each.since) for each in self.earlier if now >= each.until))

    def require_room(self, holder: str, otherwise: str) -> None:
        """Raises Conflict if more than MAX_EARLIER earlier secrets would be good: dropping one would lock out whoever
        has only that one. `otherwise` is what else helps than waiting, as the end of the sentence."""
        if len(self.earlier) > MAX_EARLIER:
            raise Conflict(
                f"{MAX_EARLIER + 1} secrets of this {holder} are good at the moment, and that is the most. Wait until "
                f"one of them ends{otherwise}."
            )

    def rotated_to(self, stored: S, grace_ms: int, now: int) -> Secrets[S]:
        """With another current secret. The one before goes on for `grace_ms`, and those before that until the ends
        that they have; without grace, all of them end at once."""
        superseded = EarlierSecret(self.current, self.since, now + grace_ms)
        return self._with_current(stored, superseded, (*self.live(now), superseded) if grace_ms else (), now)

    def renewed_by(self, presented: EarlierSecret[S], stored: S, grace_ms: int, now: int) -> Secrets[S]:
        """With another current secret, made by somebody who has only an earlier one. Those that are later may have
        reached their owner nevertheless: they keep their ends, and the one that was current gets an end, no sooner
        than that of the one that was presented. Without grace, only that one ends, and those before it."""
        until = max(now + max(grace_ms, LEAST_OVERLAP_MS), presented.until)
        superseded = EarlierSecret(self.current, self.since, until)
        kept = (each for each in self.live(now) if grace_ms or each.since > presented.since)
        return self._with_current(stored, superseded, (*kept, superseded), now)

    def _with_current(
        self, stored: S, superseded: EarlierSecret[S], earlier: tuple[EarlierSecret[S], ...], now: int
    ) -> Secrets[S]:
        gone = [RetiredSecret(each.stored, each.since) for each in (*self.earlier, superseded) if each not in earlier]
        return replace(
            self,
            current=stored,
            since=max(now, self.since + 1),  # by which secrets are told apart
            earlier=earlier,
            dead=self._dead_with(gone),
        )

    def without_ended(self, now: int) -> Secrets[S]:
        """With those that have ended among the dead."""
        ended = [RetiredSecret(each.stored, each.since) for each in self.earlier if now >= each.until]
        return replace(self, earlier=self.live(now), dead=self._dead_with(ended))

    def rolled_back_to(self, kept: EarlierSecret[S], now: int) -> Secrets[S]:
        """As before the rotations since then: the earlier secret `kept` is the current one again, without end, and
        those that were made after it have ended."""
        place = self.earlier.index(kept)
        ended = [RetiredSecret(each.stored, each.since) for each in self.earlier[:place] if now >= each.until]
        later = [RetiredSecret(each.stored, each.since, now < each.until) for each in self.earlier[place + 1 :]]
        return replace(
            self,
            current=kept.stored,
            since=kept.since,
            earlier=tuple(each for each in self.earlier[:place] if now < each.until),
            dead=self._dead_with([*ended, *later, RetiredSecret(self.current, self.since, rolled_back=True)]),
        )

    def _dead_with(self, gone: Sequence[RetiredSecret[S]]) -> tuple[RetiredSecret[S], ...]:
        return (*self.dead, *gone)[-MAX_DEAD:]
