"""Groups: create, nest, change, delete, and who is in them.

Whoever puts an account into a group gives it what the group is granted, and so needs those permissions
too. The same holds for putting one group into another.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core import names
from chalicelib.core.audit import changes
from chalicelib.core.authorization import Caller, Operation
from chalicelib.core.errors import Conflict, Invalid, NotFound
from chalicelib.core.groups import MAX_DEPTH, MAX_MEMBERSHIPS, Group
from chalicelib.core.identifiers import new_id
from chalicelib.core.operations.effective_access import EffectiveAccess, require_all_of
from chalicelib.core.operations.optimistic import until_current
from chalicelib.core.search import EVERYTHING, Search

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.access import Access
    from chalicelib.core.accounts import User
    from chalicelib.core.audit import AuditRecord
    from chalicelib.core.operations.accounts import Accounts
    from chalicelib.core.paging import Page, Window
    from chalicelib.core.ports import AccessStore, GroupStore

OUTERMOST = ""  # as a parent: the group is inside of none


@dataclass(frozen=True, slots=True)
class GroupDescription:
    """What a caller says of a group; None leaves a value as it is, a parent of OUTERMOST takes it out."""

    name: str | None = None
    parent: str | None = None
    requires_two_factor: bool | None = None


class Groups:
    """`reference` is a group's id or name, `user` an account's id or login."""

    def __init__(self, groups: GroupStore, held: AccessStore, accounts: Accounts, access: EffectiveAccess) -> None:
        self._groups = groups
        self._held = held
        self._accounts = accounts
        self._access = access

    def page(self, caller: Caller, window: Window, search: Search = EVERYTHING) -> Page[Group]:
        """A part of the groups that are wanted, sorted by name. Raises Invalid or Forbidden."""
        caller.require(Operation.READ_GROUP)
        return self._groups.page(window, search)

    def get(self, caller: Caller, reference: str) -> Group:
        """One group. Raises Forbidden or NotFound."""
        return self.find(caller, reference, Operation.READ_GROUP)

    def create(self, caller: Caller, description: GroupDescription) -> Group:
        """A new group. Raises Invalid, Forbidden, NotFound (the parent) or Conflict (the name is taken)."""
        if description.name is None:
            raise Invalid("name", "is required.")
        blank = Group(id=new_id(), name="", created=caller.now)

        def attempt() -> Group:
            caller.require(Operation.CREATE_GROUP)
            group, outer = self._described(caller, blank, description)
            group = replace(group, revision=1)
            self._groups.create(group, outer, _record(caller, "group.created", group, {"name": group.name}))
            return group

        return until_current(attempt)

    def update(self, caller: Caller, reference: str, description: GroupDescription) -> Group:
        """The group, changed. Raises Invalid, Forbidden, NotFound or Conflict."""

        def attempt() -> Group:
            old = self.find(caller, reference, Operation.UPDATE_GROUP)
            new, outer = self._described(caller, old, description)
            details = changes(old, new, "name", "parent_id", "requires_two_factor")
            if not details:
                return old
            self._groups.replace(old, new, outer, _record(caller, "group.updated", new, details))
            return new

        return until_current(attempt)

    def delete(self, caller: Caller, reference: str) -> None:
        """The group is gone, and with it what it gave. Raises Forbidden, NotFound, Conflict (subgroups)."""

        def attempt() -> Group:
            group = self.find(caller, reference, Operation.DELETE_GROUP)
            if group.subgroups:
                raise Conflict(f"{group.name} has subgroups. Move or delete them first.")
            self._groups.delete(group, _record(caller, "group.deleted", group, {"name": group.name}))
            return group

        self._accounts.release_bots_of(caller, until_current(attempt).id)

    def members(self, caller: Caller, reference: str, window: Window, search: Search = EVERYTHING) -> Page[User]:
        """A part of the accounts that are directly in the group, sorted by login. Raises Invalid, Forbidden or
        NotFound."""
        return self._accounts.members(self.find(caller, reference, Operation.READ_GROUP), window, search)

    def member(self, caller: Caller, reference: str, user: str) -> User:
        """One account that is directly in the group. Raises Forbidden or NotFound."""
        group = self.find(caller, reference, Operation.READ_GROUP)
        member = self._accounts.find(caller, user, Operation.READ_USER)
        if group.id not in self._held.held_by(member.id).groups:
            raise NotFound("member", user)
        return member

    def outer_of(self, groups: Iterable[Group]) -> Mapping[str, Group]:
        """All groups that these are inside of, by id; the caller asks for who may read groups."""
        return self._access.with_outer({group.parent_id for group in groups if group.parent_id})

    def add_member(self, caller: Caller, reference: str, user: str) -> User:
        """The account is in the group. Raises Forbidden, NotFound or Conflict (it is already)."""

        def attempt() -> User:
            group = self.find(caller, reference, Operation.ADD_MEMBER)
            member = self._accounts.find(caller, user, Operation.READ_USER)
            given = self._access.of_members(group.id)
            require_all_of(caller, given, f"Members of {group.name} have")
            if len(self._held.held_by(member.id).groups) >= MAX_MEMBERSHIPS:
                raise Conflict(f"An account can be in at most {MAX_MEMBERSHIPS} groups.")
            details = {"user": member.login}
            self._groups.add_member(group, member, given, _record(caller, "group.member-added", group, details))
            return member

        return until_current(attempt)

    def remove_member(self, caller: Caller, reference: str, user: str) -> None:
        """The account is not in the group. Raises Forbidden or NotFound."""

        def attempt() -> None:
            group = self.find(caller, reference, Operation.REMOVE_MEMBER)
            member = self._accounts.find(caller, user, Operation.READ_USER)
            if group.id not in self._held.held_by(member.id).groups:
                raise NotFound("member", user)
            details = {"user": member.login}
            self._groups.remove_member(group, member, _record(caller, "group.member-removed", group, details))

        until_current(attempt)

    def find(self, caller: Caller, reference: str, operation: Operation) -> Group:
        """The group, if the caller may do this. Raises Forbidden or NotFound."""
        caller.require(operation)
        group = look_up(self._groups, reference)
        if group is None:
            raise NotFound("group", reference)
        return group

    def _described(self, caller: Caller, group: Group, description: GroupDescription) -> tuple[Group, Access | None]:
        """The group as described, as its next revision, and what its members get from a new parent."""
        name = group.name if description.name is None else names.name(description.name)
        required = description.requires_two_factor
        parent_id, outer = group.parent_id, None
        if description.parent is not None:
            parent_id, outer = self._parent(caller, group, description.parent)
        changed = replace(
            group,
            name=name,
            parent_id=parent_id,
            requires_two_factor=group.requires_two_factor if required is None else required,
            revision=group.revision + 1,
        )
        return changed, outer if parent_id != group.parent_id else None

    def _parent(self, caller: Caller, group: Group, reference: str) -> tuple[str | None, Access | None]:
        if reference == OUTERMOST:
            return None, None
        parent = self.find(caller, reference, Operation.UPDATE_GROUP)
        outer = self._access.of_members(parent.id)
        if group.id in outer.groups:
            raise Conflict("A group cannot be inside of itself.", "parent")
        if len(outer.groups) >= MAX_DEPTH:
            raise Conflict(f"Groups can be nested {MAX_DEPTH} deep at most.", "parent")
        require_all_of(caller, outer, f"Members of {parent.name} have")
        return parent.id, outer


def look_up(groups: GroupStore, reference: str) -> Group | None:
    """The group with this id or name, if there is one. The caller asks for who may know."""
    group = groups.get(reference) if names.may_refer(reference) else None
    if group is None:
        with contextlib.suppress(Invalid):  # what cannot be a name names no group
            group = groups.find_by_name(names.name(reference))
    return group


def _record(caller: Caller, kind: str, group: Group, details: dict[str, str]) -> AuditRecord:
    return caller.record(kind, "group", group.id, details=details)
