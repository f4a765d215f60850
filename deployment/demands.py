"""What restricts comes back of a later export: demands, which are a second factor or a policy.

Who restores an installation must not open by it what was closed between the two exports. So a group or service that
both have demands what either did; a group that was made since, and demands something, comes back with what it and all
that it was inside of demanded, and gives nothing; and whoever was put into a group that gives nothing is in it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.core.access.role import Grant
from chalicelib.core.access.token_policy import stricter
from chalicelib.storage.engine import keys
from chalicelib.storage.items.directory import policy_in, policy_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chalicelib.core.access.token_policy import Policy

RawItem = dict[str, Any]  # as DynamoDB's API has it: types by name

DEMANDING = {"group", "service"}  # kinds of items
NOTHING: RawItem = {}  # which demands nothing


class Demands:
    """Those of both exports: `demanded` are the earlier one's groups and services that demand something, `in_earlier`
    is where it has something that grants."""

    def __init__(self, demanded: Iterable[RawItem], later: Iterable[RawItem], in_earlier: set[keys.Key]) -> None:
        self._in_earlier = in_earlier
        self._before = {_item_key(item): item for item in demanded}
        self._groups: dict[str, RawItem] = {}
        self._shown_services = set[str]()  # groups, by the services that name them
        for item in later:
            if item["kind"]["S"] == "group":
                self._groups[item["id"]["S"]] = item
            if item["kind"]["S"] == "service":
                self._shown_services |= {each["S"] for each in item.get("groups", {}).get("L", [])}

    def brings_back(self, group_id: str) -> bool:
        """Whether the group was made since, and demands something."""
        return self._is_new(group_id) and self.demands(group_id)

    def demands(self, group_id: str) -> bool:
        """Whether the group, or one that it is inside of, demands something."""
        return any(map(demands_something, self._chain(group_id)))

    def only_restricts(self, group_id: str) -> bool:
        """Whether being in the group gives nothing, and is subject to a demand."""
        if not self.demands(group_id):
            return False
        for group in self._chain(group_id):
            if self._is_new(group["id"]["S"]):
                return True  # it comes back outermost, and without what it was granted
            if self.grants_kept(group) or group["id"]["S"] in self._shown_services:
                return False
        return True

    def grants_kept(self, group: RawItem) -> list[RawItem]:
        """What the group was granted, in both exports, and so is again."""
        id = group["id"]["S"]
        return [each for each in group["grants"]["L"] if _group_grant(id, each["S"]) in self._in_earlier]

    def restored(self, item: RawItem) -> RawItem:
        """A group or service of the later export, with all that is demanded."""
        id = item["id"]["S"]
        if item["kind"]["S"] == "group" and self._is_new(id):
            return _without(_with_demands(item, [NOTHING, *self._chain(id)]), "parent_id")
        return _with_demands(item, [self._before.get(_item_key(item), NOTHING), item])

    def _is_new(self, group_id: str) -> bool:
        return group_id in self._groups and keys.group(group_id) not in self._in_earlier

    def _chain(self, group_id: str) -> Iterator[RawItem]:
        """The group, and all that it is inside of."""
        seen = set[str]()
        while (group := self._groups.get(group_id)) and group_id not in seen:
            yield group
            seen.add(group_id)
            group_id = group.get("parent_id", {}).get("S", "")


def demands_something(item: RawItem) -> bool:
    """Whether it is a group or service that does."""
    return item["kind"]["S"] in DEMANDING and (_requires_two_factor(item) or _policy(item) is not None)


def _requires_two_factor(item: RawItem) -> bool:
    required: bool = item.get("requires_two_factor", {}).get("BOOL", False)
    return required


def _policy(item: RawItem) -> Policy | None:
    return policy_in(item.get("policy", {}).get("S"))


def _with_demands(item: RawItem, demanding: Sequence[RawItem]) -> RawItem:
    """The item with what any of these demand."""
    if item["kind"]["S"] == "group":
        item = {**item, "requires_two_factor": {"BOOL": any(map(_requires_two_factor, demanding))}}
    text = policy_text(stricter(*map(_policy, demanding)))
    return item if text is None else {**item, "policy": {"S": text}}


def _item_key(item: RawItem) -> keys.Key:
    return item["pk"]["S"], item["sk"]["S"]


def _without(item: RawItem, name: str) -> RawItem:
    return {each: kept for each, kept in item.items() if each != name}


def _group_grant(group_id: str, pair: str) -> keys.Key:
    role_id, _, place = pair.partition(" ")
    return keys.group_grant(group_id, Grant(group_id, role_id, place).key)
