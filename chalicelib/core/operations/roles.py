"""Roles and the grants that give them to accounts.

Nobody can put into a role, or grant, a permission that they do not have themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core import names
from chalicelib.core.authorization import Caller, Operation
from chalicelib.core.errors import Conflict, Forbidden, Invalid, NotFound
from chalicelib.core.identifiers import new_id
from chalicelib.core.operations.optimistic import until_current
from chalicelib.core.permissions import EVERYWHERE, PermissionSet, Power
from chalicelib.core.roles import MAX_GRANTS, MAX_PERMISSIONS, Grant, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.core.operations.accounts import Accounts
    from chalicelib.core.operations.services import Services
    from chalicelib.core.paging import Page, Window
    from chalicelib.core.ports import RoleStore


class Roles:
    """`user`, `role` and `place` are ids or logins and keys; a place is a service, or EVERYWHERE."""

    def __init__(self, roles: RoleStore, accounts: Accounts, services: Services) -> None:
        self._roles = roles
        self._accounts = accounts
        self._services = services

    def page(self, caller: Caller, window: Window) -> Page[Role]:
        """A part of all roles, sorted by key. Raises Forbidden."""
        caller.require(Operation.READ_ROLES)
        return self._roles.page(window)

    def get(self, caller: Caller, role: str) -> Role:
        """One role. Raises Forbidden or NotFound."""
        caller.require(Operation.READ_ROLES)
        return self._existing(role)

    def create(self, caller: Caller, key: str, name: str, permissions: Sequence[str]) -> Role:
        """A new role of permission ids. Raises Invalid, Forbidden or Conflict (the key is taken)."""
        caller.require(Operation.CREATE_ROLE)
        if not 1 <= len(permissions) <= MAX_PERMISSIONS:
            raise Invalid("permissions", f"must name 1 to {MAX_PERMISSIONS} permissions.")
        self._require_declared(permissions)
        _require_held(caller, permissions, EVERYWHERE)
        role = Role(new_id(), names.key(key), names.name(name), frozenset(permissions), caller.now)
        details = {"key": role.key, "permissions": " ".join(sorted(role.permissions))}
        self._roles.create(role, caller.record("role.created", "role", role.id, details=details))
        return role

    def grants(self, caller: Caller, user: str) -> list[tuple[Grant, Role]]:
        """The account's grants, each with its role. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_GRANTS)
        grants = self._roles.grants_of(owner.id)
        roles = self._roles.get_many({grant.role_id for grant in grants})
        return [(grant, roles[grant.role_id]) for grant in grants if grant.role_id in roles]

    def grant(self, caller: Caller, user: str, role: str, place: str = EVERYWHERE) -> tuple[Grant, Role]:
        """The role given to the account in `place`. Raises Invalid, Forbidden, NotFound or Conflict."""

        def attempt() -> tuple[Grant, Role]:
            owner = self._accounts.find(caller, user, Operation.GRANT_ROLE)
            given = self._existing(role)
            where = self._place(place)
            _require_held(caller, given.permissions, where)
            if len(self._roles.grants_of(owner.id)) >= MAX_GRANTS:
                raise Conflict(f"An account can hold at most {MAX_GRANTS} grants.")
            grant = Grant(owner.id, given.id, where)
            details = {"role": given.key, "place": where}
            self._roles.grant(owner, grant, caller.record("role.granted", "user", owner.id, owner.id, details))
            return grant, given

        return until_current(attempt)

    def revoke(self, caller: Caller, user: str, grant_id: str) -> None:
        """The grant is gone. Raises Forbidden, NotFound, or Conflict for the last administrator."""

        def attempt() -> None:
            owner = self._accounts.find(caller, user, Operation.REVOKE_ROLE)
            grant = next((held for held in self._roles.grants_of(owner.id) if held.id == grant_id), None)
            if grant is None:
                raise NotFound("grant", grant_id)
            details = {"role": grant.role_id, "place": grant.place}
            self._roles.revoke(owner, grant, caller.record("role.revoked", "user", owner.id, owner.id, details))

        until_current(attempt)

    def _existing(self, reference: str) -> Role:
        role = None
        if names.may_refer(reference):
            role = self._roles.get(reference) or self._roles.find_by_key(reference)
        if role is None:
            raise NotFound("role", reference)
        return role

    def _place(self, reference: str) -> str:
        if reference == EVERYWHERE:
            return EVERYWHERE
        service = self._services.resolve([reference]).get(reference)
        if service is None:
            raise Invalid("project", f"there is no service {reference!r}.")
        return service.id

    def _require_declared(self, permissions: Sequence[str]) -> None:
        services = self._services.resolve({permission.partition(":")[0] for permission in permissions})
        declared = {permission.id for service in services.values() for permission in service.permissions}
        for permission in permissions:
            if permission not in declared:
                raise Invalid("permissions", f"no service declares {permission!r}.")


def _require_held(caller: Caller, permissions: Iterable[str], place: str) -> None:
    missing = caller.permissions.missing(PermissionSet(Power(permission, place) for permission in permissions))
    if missing:
        raise Forbidden(f"You lack permissions of this role: {', '.join(map(str, missing[:10]))}.")
