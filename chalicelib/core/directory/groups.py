"""Groups: create, nest, change, delete, and who is in them.

Whoever puts an account into a group gives it what the group is granted, and whoever takes it out takes that away:
either needs those permissions too. The same holds for putting one group into another. Who changes what a group demands
of its members can let others in as them, or shut them out: that needs the permissions of each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.access import attenuation, references
from chalicelib.core.access.group import MAX_DEPTH, MAX_MEMBERSHIPS, Group
from chalicelib.core.access.permissions import EVERY_PERMISSION
from chalicelib.core.access.rules import Operation
from chalicelib.core.access.transaction_limits import require_room
from chalicelib.core.audit.records import changes
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import require_seen, retry_on_conflict, retry_persistently
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING, Search

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller, Permit
    from chalicelib.core.access.effective import Access
    from chalicelib.core.access.ports import AccessStore, GroupStore
    from chalicelib.core.access.reader import EffectiveAccess
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.paging import Page
    from chalicelib.core.directory.accounts import Accounts

MAX_COMPARED_MEMBERS = 50  # whose permissions are read one by one
# What whoever may read a group may know, and search for, of its members.
KNOWN_OF_MEMBERS = frozenset({"login", "name", "bot"})
OUTERMOST = ""  # as a parent: the group is inside of none


@dataclass(frozen=True, slots=True)
class GroupDescription:
    """What a caller says of a group; None leaves a value as it is, a parent of OUTERMOST takes it out."""

    name: str | None = None
    parent: str | None = None
    requires_two_factor: bool | None = None


class Groups:
    """`reference` is a group's id or name, `user` an account's id or login."""

    def __init__(
        self, groups: GroupStore, access_store: AccessStore, accounts: Accounts, access: EffectiveAccess
    ) -> None:
        self._groups = groups
        self._access_store = access_store
        self._accounts = accounts
        self._access = access

    def page(self, caller: Caller, window: Window, search: Search = EVERYTHING) -> Page[Group]:
        """A part of the groups that are wanted, sorted by name. Raises Invalid or Forbidden."""
        caller.check(Operation.READ_GROUP)
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
            permit = caller.require(Operation.CREATE_GROUP)
            group = replace(self._described(caller, blank, description), revision=1)
            outer = self._entered(caller, blank, group.parent_id) if group.parent_id else None
            self._groups.create(group, outer, _record(permit, "group.created", group, {"name": group.name}))
            return group

        return retry_on_conflict(attempt)

    def update(self, caller: Caller, reference: str, description: GroupDescription, seen: int | None = None) -> Group:
        """The group, changed. Raises Invalid, Forbidden, NotFound or Conflict; Changed unless it has still the
        revision `seen`, if one is given."""

        def attempt() -> Group:
            old, permit = self._permitted(caller, reference, Operation.UPDATE_GROUP)
            require_seen(seen, old.revision)
            new = self._described(caller, old, description)
            if new.parent_id != old.parent_id:
                self._require_bound(caller, old, old.parent_id)
            details = changes(old, new, "name", "parent_id", "requires_two_factor")
            if not details:
                return old
            required_permissions = self._required_permissions(caller, old, new)
            self._groups.replace(old, new, required_permissions, _record(permit, "group.updated", new, details))
            return new

        takes = description.requires_two_factor or description.parent is not None  # out of a parent, what that gave
        return retry_persistently(attempt) if takes else retry_on_conflict(attempt)

    def delete(self, caller: Caller, reference: str) -> None:
        """The group is gone, and with it what it gave. Raises Forbidden, NotFound, Conflict (subgroups)."""

        def attempt() -> tuple[Group, Permit]:
            group, permit = self.permitted_including(caller, reference, Operation.DELETE_GROUP)
            if group.subgroups:
                raise Conflict("This group has subgroups. Move or delete them first.")
            self._require_bound(caller, group, group.id)
            # To take away must not fail by how much there is: so a deletion insists on nothing that was compared.
            if permit.required_permissions and permit.required_permissions.demands_something:
                self.change_demands(caller, group)
            self._groups.delete(group, _record(permit, "group.deleted", group, {"name": group.name}))
            return group, permit

        group, permit = retry_persistently(attempt)
        self._accounts.released_by(permit, group.id)

    def members(self, caller: Caller, reference: str, window: Window, search: Search = EVERYTHING) -> Page[User]:
        """A part of the accounts that are directly in the group, sorted by login. Raises Invalid, NotFound, or
        Forbidden: also for who may not read accounts, and searches for more than is known of a member."""
        group = self.find(caller, reference, Operation.READ_GROUP)
        if not search.traits <= KNOWN_OF_MEMBERS or not {*search.terms} <= KNOWN_OF_MEMBERS:
            caller.check(Operation.LIST_USERS)
        return self._accounts.members(group, window, search)

    def member(self, caller: Caller, reference: str, user: str) -> User:
        """One account that is directly in the group. Raises Forbidden or NotFound."""
        group = self.find(caller, reference, Operation.READ_GROUP)
        member = self._accounts.find(caller, user, Operation.READ_USER)
        if group.id not in self._access_store.direct_grants(member.id).groups:
            raise NotFound("member", user)
        return member

    def outer_of(self, groups: Iterable[Group]) -> Mapping[str, Group]:
        """All groups that these are inside of, by id; the caller asks for who may read groups."""
        return self._access.with_outer({group.parent_id for group in groups if group.parent_id})

    def add_member(self, caller: Caller, reference: str, user: str) -> User:
        """The account is in the group. Raises Forbidden, NotFound or Conflict (it is already)."""

        def attempt() -> User:
            caller.check(Operation.ADD_MEMBER)
            group = self.existing(reference)
            member = self._accounts.find(caller, user, Operation.READ_USER)
            opens = self._access.opening_of_group(caller, group.id)
            permit = caller.require(Operation.ADD_MEMBER, opens=opens)
            given = permit.insisting()
            assert given
            if given.demands_something:
                self._accounts.permitted(caller, member.id, Operation.CHANGE_DEMANDS_ON_MEMBER)
            if len(self._access_store.direct_grants(member.id).groups) >= MAX_MEMBERSHIPS:
                raise Conflict(f"An account can be in at most {MAX_MEMBERSHIPS} groups.")
            details = {"user": member.login}
            record = _record(permit, "group.member-added", group, details)
            self._groups.add_member(group, member, given, record)
            return member

        return retry_on_conflict(attempt)

    def remove_member(self, caller: Caller, reference: str, user: str) -> None:
        """The account is not in the group. Raises Forbidden or NotFound."""

        def attempt() -> None:
            group, permit = self.permitted_including(caller, reference, Operation.REMOVE_MEMBER)
            member = self._accounts.find(caller, user, Operation.READ_USER)
            if group.id not in self._access_store.direct_grants(member.id).groups:
                raise NotFound("member", user)
            if member.id == caller.user.id:
                self._require_bound(caller, group, group.id)
            if permit.required_permissions and permit.required_permissions.demands_something:
                self._accounts.permitted(caller, member.id, Operation.CHANGE_DEMANDS_ON_MEMBER)
            details = {"user": member.login}
            self._groups.remove_member(group, member, _record(permit, "group.member-removed", group, details))

        retry_persistently(attempt)

    def _require_bound(self, caller: Caller, group: Group, left: str | None) -> None:
        """Raises Forbidden where the caller is in the group, and would leave the group `left`, and all around it, whose
        policies may be what ends the token that is presented."""
        if left and caller.ends is not None and group.id in caller.groups:
            for each in self._access.with_outer([left]).values():
                attenuation.require_no_longer_life(caller, each.policy, None)

    def find(self, caller: Caller, reference: str, operation: Operation) -> Group:
        """The group, if the caller may do this. Raises Forbidden or NotFound."""
        return self._permitted(caller, reference, operation)[0]

    def permitted_including(self, caller: Caller, reference: str, operation: Operation) -> tuple[Group, Permit]:
        """The group, and that the caller may do this, whose permissions include those of its members.

        Raises Forbidden or NotFound.
        """
        caller.check(operation)
        group = self.existing(reference)
        return group, caller.require(operation, opens=self._access.opening_of_group(caller, group.id))

    def _permitted(self, caller: Caller, reference: str, operation: Operation) -> tuple[Group, Permit]:
        permit = caller.require(operation)
        return self.existing(reference), permit

    def existing(self, reference: str) -> Group:
        """The group. The caller asks for who may know. Raises NotFound."""
        group = references.group(self._groups, reference)
        if group is None:
            raise NotFound("group", reference)
        return group

    def _described(self, caller: Caller, group: Group, description: GroupDescription) -> Group:
        """The group as described, as its next revision."""
        required = description.requires_two_factor
        parent = description.parent
        name = group.name if description.name is None else validation.name(description.name)
        if name != group.name:
            validation.not_an_id(name, "name")
        return replace(
            group,
            name=name,
            parent_id=group.parent_id if parent is None else self._parent(caller, parent),
            requires_two_factor=group.requires_two_factor if required is None else required,
            revision=group.revision + 1,
        )

    def _parent(self, caller: Caller, reference: str) -> str | None:
        return None if reference == OUTERMOST else self.find(caller, reference, Operation.UPDATE_GROUP).id

    def _required_permissions(self, caller: Caller, old: Group, new: Group) -> Access | None:
        """What the change from `old` to `new` rests on, for the write to insist on. Raises Forbidden or Conflict."""
        # A new name, and what is taken away, insist on nothing: they could have come a moment before.
        if new.name != old.name:
            caller.require(Operation.RENAME_GROUP, opens=self._access.opening_of_group(caller, old.id))
        moved = new.parent_id != old.parent_id
        if moved and old.parent_id:
            caller.require(Operation.MOVE_GROUP_OUT, opens=self._access.opening_of_group(caller, old.parent_id))
        given = self._entered(caller, old, new.parent_id) if moved and new.parent_id else None
        if not self._demands_otherwise(old, new):
            return given
        changed = self.change_demands(caller, old).insisting()
        if changed is None:
            return given
        both = changed.together_with(given)
        require_room(both)
        return both

    def _entered(self, caller: Caller, group: Group, parent_id: str) -> Access:
        """What the members of the group get from its new parent. Raises Forbidden or Conflict."""
        outer = self._access.opening_of_group(caller, parent_id)
        given = caller.require(Operation.MOVE_GROUP, opens=outer).insisting()
        assert given
        if group.id in given.groups:
            raise Conflict("A group cannot contain itself.", "parent")
        if len(given.groups) >= MAX_DEPTH:
            raise Conflict(f"Groups can be nested at most {MAX_DEPTH} levels deep.", "parent")
        if group.subgroups and not caller.permissions.allows(EVERY_PERMISSION):
            # Each level is read at every request of a member. How many there are below is stored nowhere.
            refusal = (
                f"The subgroups of this group could then be nested more than {MAX_DEPTH} levels deep. This needs the "
                "role System Admin, everywhere."
            )
            raise caller.recorded(Forbidden(refusal))
        return given

    def _demands_otherwise(self, old: Group, new: Group) -> bool:
        """Whether other things are demanded of the members now: by the group, or by what it is inside of."""
        if new.requires_two_factor != old.requires_two_factor:
            return True
        if new.parent_id == old.parent_id:
            return False
        parents = {id for id in (old.parent_id, new.parent_id) if id}
        return any(group.demands_something for group in self._access.with_outer(parents).values())

    def change_demands(self, caller: Caller, group: Group) -> Permit:
        """That the caller may change what the group demands of its members: less of it opens all that they may do, and
        more shuts out who does not meet it.

        Raises Forbidden, also where there are too many to compare.
        """
        permit = caller.require(Operation.CHANGE_DEMANDS, opens=self._access.opening_of_group(caller, group.id))
        if caller.permissions.allows(EVERY_PERMISSION):
            return permit
        members = self._accounts.members(group, Window(0, MAX_COMPARED_MEMBERS), EVERYTHING)
        if group.subgroups or members.total > MAX_COMPARED_MEMBERS:
            refusal = (
                f"This group has subgroups, or more than {MAX_COMPARED_MEMBERS} members: too many to compare their "
                "permissions. This needs the role System Admin, everywhere."
            )
            raise caller.recorded(Forbidden(refusal))
        for member in members.items:
            self._accounts.permitted(caller, member.id, Operation.CHANGE_DEMANDS_ON_MEMBER)
        return permit


def _record(permit: Permit, kind: str, group: Group, details: dict[str, str]) -> AuditRecord:
    return permit.record(kind, "group", group.id, details=details)
