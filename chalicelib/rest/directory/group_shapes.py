"""How groups look from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.rest.contract.fields import Field, Kind, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.group import Group


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group, and whatever it is inside of, by id, which is read only for answers that show it."""

    group: Group
    outer: Callable[[], Mapping[str, Group]]

    def parent(self) -> GroupView | None:
        """The group that it is directly inside of."""
        if self.group.parent_id is None:
            return None
        found = self.outer().get(self.group.parent_id)
        return GroupView(found, self.outer) if found else None


def _reads_group(caller: Caller, view: GroupView) -> bool:
    """Whoever is in a group knows it."""
    return view.group.id in caller.groups or caller.is_allowed(Operation.READ_GROUP)


_group_fields = {
    "id": Field(lambda view: view.group.id),
    "type": Field(lambda view: "userGroup"),
    "name": Field(lambda view: view.group.name),
    "requiredTwoFactorAuthentication": Field(lambda view: view.group.requires_two_factor, Kind.FLAG),
    "creationTime": Field(lambda view: view.group.created, Kind.TIME),
}
HUBS_OF_GROUPS = frozenset({"iconUrl", "description", "autoJoin", "userCount", "aliases"})
OUTLINE_OF_GROUPS = frozenset({"id", "type", "name"})
GROUP = Shape("usergroup", _group_fields, HUBS_OF_GROUPS, _reads_group, OUTLINE_OF_GROUPS)
_group_fields["parent"] = Field(lambda view: view.parent(), Kind.MAYBE_ONE, GROUP)  # and so on, outwards
