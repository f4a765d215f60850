"""Groups: accounts that are granted things together. Groups nest; a member of the inner one is in the outer.

Source: Hub's page "Groups": what is granted to a group is granted to the members of its subgroups too.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    revision: int = 1
