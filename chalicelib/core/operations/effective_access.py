"""Reads what an account may do at the moment, strongly consistent; nothing is remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access import Access, access
from chalicelib.core.errors import Conflict, Forbidden
from chalicelib.core.groups import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.accounts import User
    from chalicelib.core.authorization import Caller
    from chalicelib.core.groups import Group
    from chalicelib.core.ports import AccessStore, GroupStore, RoleStore


class EffectiveAccess:
    """Adds up what is granted to accounts and groups."""

    def __init__(self, held: AccessStore, groups: GroupStore, roles: RoleStore) -> None:
        self._held = held
        self._groups = groups
        self._roles = roles

    def of(self, user_id: str) -> Access:
        """All that the account may do. One query, one read for each level of nesting, one for roles."""
        held = self._held.held_by(user_id)
        groups = self.with_outer(held.groups)
        wanted = {grant.role_id for grant in held.grants}
        wanted |= {role_id for group in groups.values() for role_id, _ in group.grants}
        return access(held.grants, held.groups, groups, self._roles.get_many(wanted))

    def compared(self, caller: Caller, owner: User) -> Access | None:
        """What `owner` may do, if the caller acts for them and may do all of it; None for the caller's own.

        The write then insists that it is still the same. Raises Forbidden or Conflict.
        """
        if owner.id == caller.user.id:
            return None
        access = self.of(owner.id)
        require_all_of(caller, access, f"{owner.login} has")
        return access

    def of_members(self, group_id: str) -> Access:
        """What being in the group gives."""
        groups = self.with_outer([group_id])
        wanted = {role_id for group in groups.values() for role_id, _ in group.grants}
        return access([], [group_id], groups, self._roles.get_many(wanted))

    def with_outer(self, group_ids: Iterable[str]) -> dict[str, Group]:
        """These groups and all that they are inside of; what is gone is left out."""
        found: dict[str, Group] = {}
        level = set(group_ids)
        for _ in range(2 * MAX_DEPTH):  # a subtree that was moved may reach deeper than one is built
            level -= found.keys()
            if not level:
                break
            found.update(self._groups.get_many(level))
            level = {found[id].parent_id or "" for id in level if id in found} - {""}
        return found


MAX_COMPARED = 80  # groups and roles: a transaction has to check that each is as it was compared


def require_all_of(caller: Caller, access: Access, whose: str) -> None:
    """Raises Forbidden unless the caller has every permission in `access`, in every place.

    Raises Conflict if the access rests on more groups and roles than one transaction can check.
    """
    missing = caller.permissions.missing(access.permissions)
    if missing:
        listed = ", ".join(map(str, missing[:10])) + (" and more" if len(missing) > 10 else "")
        raise Forbidden(f"{whose} permissions that you lack: {listed}.")
    if len(access.groups) + len(access.roles) > MAX_COMPARED:
        raise Conflict(f"This rests on more than {MAX_COMPARED} groups and roles, too many to compare safely.")
