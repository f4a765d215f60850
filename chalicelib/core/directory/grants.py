"""The grants of all accounts and groups, in one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access import references
from chalicelib.core.access.account import User
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid, NotFound
from chalicelib.core.common.paging import Page, Window
from chalicelib.core.common.search import EVERYTHING, Search
from chalicelib.core.directory.accounts import MYSELF

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.group import Group
    from chalicelib.core.access.ports import AccountStore, GroupStore, RoleStore
    from chalicelib.core.access.role import Grant, Role
    from chalicelib.core.directory.roles import Roles


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A grant with its role and the account or group that holds it."""

    grant: Grant
    role: Role
    holder: User | Group


class AllGrants:
    """Whoever may read every account and every group may list what all of them were granted."""

    def __init__(self, roles: Roles, stored: RoleStore, accounts: AccountStore, groups: GroupStore) -> None:
        self._roles = roles
        self._stored = stored
        self._accounts = accounts
        self._groups = groups

    def holder(self, caller: Caller, reference: str) -> User | Group:
        """The account or group that holds a grant, or is to get one: by its id, or else by its login or name.

        Raises Forbidden or NotFound.
        """
        id = caller.user.id if reference == MYSELF else reference
        found = references.account_or_group_with_id(self._accounts, self._groups, id)
        if found is None:
            named = references.account_called(self._accounts, id)
            found = named or references.group_called(self._groups, id)
        caller.check(Operation.READ_GRANTS, found.id if isinstance(found, User) else None)
        if not isinstance(found, User):
            caller.check(Operation.READ_GROUP)
        if found is None:
            raise NotFound("account or group", reference)
        return found

    def page(self, caller: Caller, window: Window, search: Search = EVERYTHING) -> Page[HeldGrant]:
        """A part of the grants that are wanted, by role. The terms may name a `role`, and a `user` or `group`.

        What was deleted a moment ago is left out. Raises Invalid or Forbidden.
        """
        caller.check(Operation.READ_GRANTS)
        caller.check(Operation.READ_GROUP)
        try:
            role = self._roles.get(caller, search.terms["role"]) if "role" in search.terms else None
            held = self._of_one(caller, search)
        except NotFound as error:
            raise Invalid("query", str(error)) from None
        if held is None:
            page = self._stored.grants(window, role.id if role else None)
            return Page(self._with_holders(page.items), page.total)
        wanted = [grant for grant in held if role is None or grant.role_id == role.id]
        return Page(self._with_holders(wanted[window.skip : window.skip + window.top]), len(wanted))

    def _of_one(self, caller: Caller, search: Search) -> list[Grant] | None:
        """The grants of the account or group that is named; None if none is."""
        if "user" in search.terms:
            return [grant for grant, _ in self._roles.grants(caller, search.terms["user"])]
        if "group" in search.terms:
            return [grant for grant, _ in self._roles.grants_of_group(caller, search.terms["group"])]
        return None

    def _with_holders(self, grants: Sequence[Grant]) -> list[HeldGrant]:
        ids = {grant.holder_id for grant in grants}
        holders: dict[str, User | Group] = {**self._accounts.get_many(ids), **self._groups.get_many(ids)}
        roles = self._stored.get_many({grant.role_id for grant in grants})
        return [
            HeldGrant(grant, roles[grant.role_id], holders[grant.holder_id])
            for grant in grants
            if grant.role_id in roles and grant.holder_id in holders
        ]
