"""Secrets of one holder: the current one, and previous ones, which stay valid for their grace periods.

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
MAX_PREVIOUS = 9  # secrets that are valid besides the current one
MAX_RETIRED = 8  # superseded secrets that are still recognised after their end; an item stays below 4 KB
LONGEST_GRACE_MS = 90 * DAY_MS
LEAST_GRACE_MS = DAY_MS  # of a secret that an earlier one supersedes: what uses it once a day finds it good


def require_grace(grace_ms: int) -> None:
    """That a secret may go on for so many milliseconds after it was superseded. Raises Invalid (`grace`)."""
    if not 0 <= grace_ms <= LONGEST_GRACE_MS:
        raise Invalid("grace", f"must be from 0 to {LONGEST_GRACE_MS // DAY_MS} days.")


@dataclass(frozen=True, slots=True)
class PreviousSecret(Generic[S]):
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
    previous_secrets: tuple[PreviousSecret[S], ...] = ()  # oldest first
    retired_secrets: tuple[RetiredSecret[S], ...] = ()  # that have ended; the last MAX_RETIRED, oldest first

    def valid_previous(self, now: int) -> tuple[PreviousSecret[S], ...]:
        """The previous secrets that are still valid."""
        return tuple(each for each in self.previous_secrets if now < each.until)

    def previous(self, since: int | None, now: int) -> PreviousSecret[S] | None:
        """The previous secret that was made at `since`, if it is still valid."""
        return next((each for each in self.valid_previous(now) if each.since == since), None)

    def has(self, since: int, now: int) -> bool:
        """Whether the secret that was made at `since` is still good."""
        return since == self.since or self.previous(since, now) is not None

    @property
    def past(self) -> tuple[RetiredSecret[S], ...]:
        """Those that were current before, as far as they are remembered, good or not."""
        return (*self.retired_secrets, *(RetiredSecret(each.stored, each.since) for each in self.previous_secrets))

    def retired(self, now: int) -> tuple[RetiredSecret[S], ...]:
        """Those that are not good any more, as far as they are remembered."""
        return (
            *self.retired_secrets,
            *(RetiredSecret(each.stored, each.since) for each in self.previous_secrets if now >= each.until),
        )

    def require_room(self, holder: str, otherwise: str) -> None:
        """Raises Conflict if more than MAX_PREVIOUS earlier secrets would be good: dropping one would lock out whoever
        has only that one. `otherwise` is what else helps than waiting, as the end of the sentence."""
        if len(self.previous_secrets) > MAX_PREVIOUS:
            raise Conflict(
                f"This {holder} has {MAX_PREVIOUS + 1} valid secrets, which is the maximum. Wait until one of them "
                f"ends{otherwise}."
            )

    def rotated_to(self, stored: S, grace_ms: int, now: int) -> Secrets[S]:
        """With another current secret. The one before goes on for `grace_ms`, and those before that until the ends
        that they have; without grace, all of them end at once."""
        replaced = PreviousSecret(self.current, self.since, now + grace_ms)
        return self._with_current(stored, replaced, (*self.valid_previous(now), replaced) if grace_ms else (), now)

    def renewed_by(self, presented: PreviousSecret[S], stored: S, grace_ms: int, now: int) -> Secrets[S]:
        """With another current secret, made by somebody who has only an earlier one. Those that are later may have
        reached their owner nevertheless: they keep their ends, and the one that was current gets an end, no sooner
        than that of the one that was presented. Without grace, only that one ends, and those before it."""
        until = max(now + max(grace_ms, LEAST_GRACE_MS), presented.until)
        replaced = PreviousSecret(self.current, self.since, until)
        kept = (each for each in self.valid_previous(now) if grace_ms or each.since > presented.since)
        return self._with_current(stored, replaced, (*kept, replaced), now)

    def _with_current(
        self, stored: S, replaced: PreviousSecret[S], previous_secrets: tuple[PreviousSecret[S], ...], now: int
    ) -> Secrets[S]:
        gone = [
            RetiredSecret(each.stored, each.since)
            for each in (*self.previous_secrets, replaced)
            if each not in previous_secrets
        ]
        return replace(
            self,
            current=stored,
            since=max(now, self.since + 1),  # by which secrets are told apart
            previous_secrets=previous_secrets,
            retired_secrets=self._retired_with(gone),
        )

    def without_ended(self, now: int) -> Secrets[S]:
        """With those that have ended among the retired ones."""
        ended = [RetiredSecret(each.stored, each.since) for each in self.previous_secrets if now >= each.until]
        return replace(self, previous_secrets=self.valid_previous(now), retired_secrets=self._retired_with(ended))

    def rolled_back_to(self, kept: PreviousSecret[S], now: int) -> Secrets[S]:
        """As before the rotations since then: the earlier secret `kept` is the current one again, without end, and
        those that were made after it have ended."""
        place = self.previous_secrets.index(kept)
        ended = [RetiredSecret(each.stored, each.since) for each in self.previous_secrets[:place] if now >= each.until]
        later = [
            RetiredSecret(each.stored, each.since, now < each.until) for each in self.previous_secrets[place + 1 :]
        ]
        return replace(
            self,
            current=kept.stored,
            since=kept.since,
            previous_secrets=tuple(each for each in self.previous_secrets[:place] if now < each.until),
            retired_secrets=self._retired_with(
                [*ended, *later, RetiredSecret(self.current, self.since, rolled_back=True)]
            ),
        )

    def _retired_with(self, gone: Sequence[RetiredSecret[S]]) -> tuple[RetiredSecret[S], ...]:
        return (*self.retired_secrets, *gone)[-MAX_RETIRED:]
