"""What an installation demands of permanent tokens: of those for a service, or of those of a group's members.

A policy speaks of a token as it is now. So it binds tokens that were made before it, from the moment it is switched
on, and lets go of them when it is taken away; nothing is written into a token. Where several policies speak of one
token, each of them holds. Lives are counted from the moment when a secret was made: rotating begins another.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.time import DAY_MS, earliest

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_DAYS = 3_650


class Consequence(Enum):
    """What follows when a token is not as it should be."""

    FLAG = "flag"  # it is shown, and an event is raised
    DISABLE = "disable"  # it is refused, until it is rotated or the policy changes
    REVOKE = "revoke"  # it is deleted


WHEN_UNUSED = (Consequence.FLAG, Consequence.DISABLE)
WHEN_KNOWN_TO_OTHERS = (Consequence.FLAG, Consequence.REVOKE)


@dataclass(frozen=True, slots=True)
class Policy:
    """Days, or None where nothing is demanded. `unused` is what follows when a token was not used for so long,
    `reused` when a superseded secret comes back after its end, `leaked` when a secret was found in public."""

    longest_life_days: int | None = None
    rotation_due_days: int | None = None
    unused_days: int | None = None
    unused: Consequence = Consequence.FLAG
    reused: Consequence = Consequence.FLAG
    leaked: Consequence = Consequence.REVOKE

    def __post_init__(self) -> None:
        """Raises Invalid."""
        for field, days in (
            ("longestLifeDays", self.longest_life_days),
            ("rotationDueDays", self.rotation_due_days),
            ("unusedDays", self.unused_days),
        ):
            if days is not None and not 1 <= days <= LONGEST_DAYS:
                raise Invalid(field, f"must be a whole number of days from 1 to {LONGEST_DAYS}.")
        for field, consequence, allowed in (
            ("unused", self.unused, WHEN_UNUSED),
            ("reused", self.reused, WHEN_KNOWN_TO_OTHERS),
            ("leaked", self.leaked, WHEN_KNOWN_TO_OTHERS),
        ):
            if consequence not in allowed:
                raise Invalid(field, f"must be {' or '.join(each.value for each in allowed)}.")

    def ends(self, since: int) -> int | None:
        """When a secret that was made at `since` has lived long enough."""
        return None if self.longest_life_days is None else since + self.longest_life_days * DAY_MS


SILENT = Policy()  # what holds for the tokens of a service without a policy


def stricter(*policies: Policy | None) -> Policy | None:
    """A policy that demands no less than any of these, and no more than it takes; None if none of them is one."""
    if not any(policies):
        return None
    each = [policy or SILENT for policy in policies]
    return Policy(
        longest_life_days=earliest(policy.longest_life_days for policy in each),
        rotation_due_days=earliest(policy.rotation_due_days for policy in each),
        unused_days=earliest(policy.unused_days for policy in each),
        unused=next((policy.unused for policy in each if policy.unused is not Consequence.FLAG), Consequence.FLAG),
        reused=strictest([policy.reused for policy in each]),
        leaked=strictest([policy.leaked for policy in each]),
    )


def strictest(consequences: Iterable[Consequence]) -> Consequence:
    """What follows where several policies speak: revoking if one says so."""
    return Consequence.REVOKE if Consequence.REVOKE in consequences else Consequence.FLAG
