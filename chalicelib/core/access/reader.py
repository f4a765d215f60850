"""Reads what an account may do at the moment, strongly consistent; nothing is remembered beyond one request."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access.caller import NOTHING, Opening
from chalicelib.core.access.effective import Access, access
from chalicelib.core.access.permissions import EVERY_PERMISSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.effective import DirectGrants
    from chalicelib.core.access.group import Group
    from chalicelib.core.access.ports import AccessStore, GroupStore, RoleStore


class EffectiveAccess:
    """Adds up what is granted to accounts and groups."""

    def __init__(self, access_store: AccessStore, groups: GroupStore, roles: RoleStore) -> None:
        self._access_store = access_store
        self._groups = groups
        self._roles = roles
        self._remembered: ContextVar[dict[tuple[str, int], DirectGrants] | None] = ContextVar(
            "remembered", default=None
        )

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Within, for one request with many changes, what an account holds is read once for each revision of it: every
        grant and membership makes another one. What groups and roles give is read each time."""
        token = self._remembered.set({})
        try:
            yield
        finally:
            self._remembered.reset(token)

    def of(self, user_id: str) -> Access:
        """All that the account may do. One query, one read for each level of nesting, one for roles."""
        return self._of(self._access_store.direct_grants(user_id))

    def of_account(self, user: User) -> Access:
        """As `of`, for an account that was read just now."""
        remembered, key = self._remembered.get(), (user.id, user.revision)
        if remembered is None:
            return self.of(user.id)
        if key not in remembered:
            remembered[key] = self._access_store.direct_grants(user.id)
        return self._of(remembered[key])

    def _of(self, direct_grants: DirectGrants) -> Access:
        groups = self.with_outer(direct_grants.groups)
        wanted = {grant.role_id for grant in direct_grants.grants}
        wanted |= {role_id for group in groups.values() for role_id, _ in group.grants}
        return access(direct_grants.grants, direct_grants.groups, groups, self._roles.get_many(wanted))

    def opening_of_account(self, caller: Caller, user: User) -> Opening:
        """What acting for the account opens to the caller; nothing to one with every permission everywhere."""
        if caller.permissions.allows(EVERY_PERMISSION):
            return NOTHING
        access = self.of_account(user)
        return Opening(access.permissions, "This account has permissions that you lack", access)

    def opening_of_group(self, caller: Caller, group_id: str) -> Opening:
        """What being in the group opens to the caller: to one with every permission everywhere, nothing, and only which
        groups are inside of which has to stay as it is."""
        if caller.permissions.allows(EVERY_PERMISSION):
            return replace(NOTHING, access=Access((), self.with_outer([group_id]), (group_id,)))
        access = self.of_members(group_id)
        return Opening(access.permissions, "Members of this group have permissions that you lack", access)

    def of_members(self, group_id: str) -> Access:
        """All that being in the group gives."""
        groups = self.with_outer([group_id])
        wanted = {role_id for group in groups.values() for role_id, _ in group.grants}
        return access([], [group_id], groups, self._roles.get_many(wanted))

    def with_outer(self, group_ids: Iterable[str]) -> dict[str, Group]:
        """These groups and all that they are inside of, however deep; what is gone is left out."""
        found: dict[str, Group] = {}
        level = set(group_ids)
        while level:
            found.update(self._groups.get_many(level))
            # What was found already ends it, also if groups were inside of each other.
            level = {found[id].parent_id or "" for id in level if id in found} - {"", *found}
        return found
