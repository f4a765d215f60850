"""Groups: accounts that are granted things together. Groups nest; a member of the inner one is in the outer.

Source: Hub's page "Groups": what is granted to a group is granted to the members of its subgroups too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.core.access.token_policy import Policy

MAX_DEPTH = 8  # of nesting: a caller's groups are read level by level
MAX_MEMBERSHIPS = 40  # of one account: deleting it takes two steps of a transaction for each


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of accounts. `grants` holds pairs of role id and place; `revision` counts changes."""

    id: str
    name: str
    created: int
    parent_id: str | None = None
    requires_two_factor: bool = False
    grants: frozenset[tuple[str, str]] = frozenset()
    subgroups: int = 0  # directly inside
    policy: Policy | None = None  # for the tokens of its members, and of those of its subgroups
    revision: int = 1

    @property
    def demands_something(self) -> bool:
        """Whether it demands anything of its members, besides what it is inside of."""
        return self.requires_two_factor or self.policy is not None
