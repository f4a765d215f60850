"""Roles and the grants that give them to accounts.

Nobody can put into a role, grant, or take away again a permission that they do not have themselves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access import references
from chalicelib.core.access.caller import Caller, Opening, Permit
from chalicelib.core.access.permissions import PermissionSet, ScopedPermission
from chalicelib.core.access.role import MAX_GRANTS, MAX_PERMISSIONS, REGISTERED_USER, SYSTEM_ADMIN, Grant, Role, current
from chalicelib.core.access.rules import Operation
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, Invalid, NotFound
from chalicelib.core.common.identifiers import EVERYWHERE, new_id
from chalicelib.core.common.optimistic_retry import require_seen, retry_on_conflict, retry_persistently
from chalicelib.core.common.paging import Page
from chalicelib.core.common.search import EVERYTHING, Search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.core.access.group import Group
    from chalicelib.core.access.ports import AccessStore, GroupStore, RoleStore
    from chalicelib.core.common.paging import Window
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.groups import Groups
    from chalicelib.core.directory.services import Services


class Roles:
    """`user`, `role` and `scope_id` are ids or logins and keys; a scope is a service, or EVERYWHERE."""

    def __init__(
        self,
        roles: RoleStore,
        access_store: AccessStore,
        stored_groups: GroupStore,
        accounts: Accounts,
        groups: Groups,
        services: Services,
    ) -> None:
        self._roles = roles
        self._access_store = access_store
        self._stored_groups = stored_groups
        self._groups = groups
        self._accounts = accounts
        self._services = services

    def page(self, caller: Caller, window: Window, search: Search = EVERYTHING) -> Page[Role]:
        """A part of the roles that are wanted, sorted by key unless `search` says otherwise. Raises Invalid or
        Forbidden."""
        caller.check(Operation.READ_ROLES)
        page = self._roles.page(window, search)
        return Page([current(role) for role in page.items], page.total)

    def get(self, caller: Caller, role: str) -> Role:
        """One role. Raises Forbidden or NotFound."""
        caller.check(Operation.READ_ROLES)
        return self._existing(role)

    def create(self, caller: Caller, key: str, name: str, permissions: Sequence[str]) -> Role:
        """A new role of permission ids. Raises Invalid, Forbidden or Conflict (the key is taken)."""
        caller.check(Operation.CREATE_ROLE)
        valid_key = validation.not_an_id(validation.key(key), "key")
        role = Role(new_id(), valid_key, validation.name(name), self._valid(caller, permissions), caller.now)
        permit = caller.require(Operation.CREATE_ROLE, opens=_opening(role.permissions, EVERYWHERE))
        details = {"key": role.key, "permissions": " ".join(sorted(role.permissions))}
        self._roles.create(role, permit.record("role.created", "role", role.id, details=details))
        return role

    def update(
        self,
        caller: Caller,
        role: str,
        key: str | None,
        name: str | None,
        permissions: Sequence[str] | None,
        seen: int | None = None,
    ) -> Role:
        """The role, changed; it binds at the next request of everybody who has it. Raises as `create`; Changed unless
        it has still the revision `seen`, if one is given."""
        valid_key = None if key is None else validation.key(key)
        valid_name = None if name is None else validation.name(name)

        def attempt() -> Role:
            caller.check(Operation.UPDATE_ROLE)
            old = self._changeable(role)
            require_seen(seen, old.revision)
            new = replace(
                old,
                key=old.key if valid_key is None else valid_key,
                name=old.name if valid_name is None else valid_name,
                permissions=old.permissions
                if permissions is None
                else self._valid(caller, permissions, old.permissions),
                revision=old.revision + 1,
            )
            if new.key != old.key:
                validation.not_an_id(new.key, "key")
            # Also what stays, or goes: by its key it is granted, and who has it is weaker without it.
            opens = _opening(old.permissions | new.permissions, EVERYWHERE)
            permit = caller.require(Operation.UPDATE_ROLE, opens=opens)
            if replace(new, revision=old.revision) == old:
                return old
            details = {"key": new.key, "permissions": " ".join(sorted(new.permissions))}
            self._roles.replace(old, new, permit.record("role.updated", "role", old.id, details=details))
            return new

        return retry_persistently(attempt)

    def delete(self, caller: Caller, role: str) -> None:
        """The role is gone, and with it what it gave. Raises Forbidden, NotFound or Conflict (built in)."""

        def attempt() -> None:
            caller.check(Operation.DELETE_ROLE)
            found = self._changeable(role)
            permit = caller.require(Operation.DELETE_ROLE, opens=_opening(found.permissions, EVERYWHERE))
            self._roles.delete(found, permit.record("role.deleted", "role", found.id, details={"key": found.key}))

        retry_persistently(attempt)

    def grants(self, caller: Caller, user: str) -> list[tuple[Grant, Role]]:
        """The account's own grants, each with its role. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_GRANTS)
        return self._with_roles(self._access_store.direct_grants(owner.id).grants)

    def grant(self, caller: Caller, user: str, role: str, scope_id: str = EVERYWHERE) -> tuple[Grant, Role]:
        """The role given to the account in `scope_id`. Raises Invalid, Forbidden, NotFound or Conflict."""

        def attempt() -> tuple[Grant, Role]:
            caller.check(Operation.GRANT_ROLE)
            owner = self._accounts.find(caller, user, Operation.READ_USER)
            given, where, permit = self._givable(caller, role, scope_id)
            if len(self._access_store.direct_grants(owner.id).grants) >= MAX_GRANTS:
                raise Conflict(f"An account can have at most {MAX_GRANTS} grants.")
            grant = Grant(owner.id, given.id, where)
            details = {"role": given.key, "place": where}
            record = permit.record("role.granted", "user", owner.id, owner.id, details)
            self._roles.grant(owner, grant, given, record)
            return grant, given

        return retry_on_conflict(attempt)

    def granted(self, caller: Caller, user: str, role: str, scope_id: str = EVERYWHERE) -> tuple[Grant, Role]:
        """What `grant` made, if it is still there. Raises Invalid, Forbidden or NotFound."""
        return self._found(caller, role, scope_id, self.grants(caller, user))

    def revoke(self, caller: Caller, user: str, grant_id: str) -> None:
        """The grant is gone. Raises Forbidden, NotFound, or Conflict for the last administrator."""

        def attempt() -> None:
            caller.check(Operation.REVOKE_ROLE)
            owner = self._accounts.find(caller, user, Operation.READ_USER)
            grant = next(
                (held for held in self._access_store.direct_grants(owner.id).grants if grant_id in (held.id, held.key)),
                None,
            )
            if grant is None:
                raise NotFound("grant", grant_id)
            permit = self._revocable(caller, grant)
            details = {"role": grant.role_id, "place": grant.scope_id}
            self._roles.revoke(owner, grant, permit.record("role.revoked", "user", owner.id, owner.id, details))

        retry_persistently(attempt)

    def grants_of_group(self, caller: Caller, group: str) -> list[tuple[Grant, Role]]:
        """The group's own grants, each with its role. Raises Forbidden or NotFound."""
        found = self._groups.find(caller, group, Operation.READ_GROUP)
        return self._with_roles([Grant(found.id, role_id, scope_id) for role_id, scope_id in sorted(found.grants)])

    def grant_to_group(self, caller: Caller, group: str, role: str, scope_id: str = EVERYWHERE) -> tuple[Grant, Role]:
        """The role given to the group's members in `scope_id`. Raises as `grant`."""

        def attempt() -> tuple[Grant, Role]:
            caller.check(Operation.GRANT_ROLE)
            old = self._groups.find(caller, group, Operation.READ_GROUP)
            given, where, permit = self._givable(caller, role, scope_id)
            if (given.id, where) in old.grants:
                raise Conflict("The group has this role there already.", "role")
            if len(old.grants) >= MAX_GRANTS:
                raise Conflict(f"A group can have at most {MAX_GRANTS} grants.")
            self._store_grants(permit, old, old.grants | {(given.id, where)}, "group.role-granted", given.id, where)
            return Grant(old.id, given.id, where), given

        return retry_on_conflict(attempt)

    def granted_to_group(self, caller: Caller, group: str, role: str, scope_id: str = EVERYWHERE) -> tuple[Grant, Role]:
        """What `grant_to_group` made, if it is still there. Raises Invalid, Forbidden or NotFound."""
        return self._found(caller, role, scope_id, self.grants_of_group(caller, group))

    def revoke_from_group(self, caller: Caller, group: str, grant_id: str) -> None:
        """The grant is gone. Raises Forbidden or NotFound."""

        def attempt() -> None:
            caller.check(Operation.REVOKE_ROLE)
            old = self._groups.find(caller, group, Operation.READ_GROUP)
            grant = _named(grant_id, [Grant(old.id, *pair) for pair in old.grants])
            if grant is None:
                raise NotFound("grant", grant_id)
            permit = self._revocable(caller, grant)
            pair = grant.role_id, grant.scope_id
            self._store_grants(permit, old, old.grants - {pair}, "group.role-revoked", *pair)

        retry_persistently(attempt)

    def _store_grants(
        self, permit: Permit, old: Group, grants: frozenset[tuple[str, str]], kind: str, role_id: str, scope_id: str
    ) -> None:
        new = replace(old, grants=grants, revision=old.revision + 1)
        record = permit.record(kind, "group", old.id, details={"role": role_id, "place": scope_id})
        self._stored_groups.replace(old, new, None, record)

    def _givable(self, caller: Caller, role: str, scope_id: str) -> tuple[Role, str, Permit]:
        given, where = self._seen(caller, role, scope_id)
        return given, where, caller.require(Operation.GRANT_ROLE, opens=_opening(given.permissions, where))

    def _revocable(self, caller: Caller, grant: Grant) -> Permit:
        """That the caller may take it away. A role that is gone gave nothing. Raises Forbidden."""
        role = self._roles.get(grant.role_id)
        taken = current(role).permissions if role else frozenset()
        return caller.require(Operation.REVOKE_ROLE, opens=_opening(taken, grant.scope_id))

    def _seen(self, caller: Caller, role: str, scope_id: str) -> tuple[Role, str]:
        return self.get(caller, role), self._scope_id(caller, scope_id)

    def _found(
        self, caller: Caller, role: str, scope_id: str, held: Sequence[tuple[Grant, Role]]
    ) -> tuple[Grant, Role]:
        given, where = self._seen(caller, role, scope_id)
        key = Grant("", given.id, where).key
        for grant, given in held:
            if grant.key == key:
                return grant, given
        raise NotFound("grant of", role)

    def _with_roles(self, grants: Sequence[Grant]) -> list[tuple[Grant, Role]]:
        roles = self._roles.get_many({grant.role_id for grant in grants})
        return [(grant, roles[grant.role_id]) for grant in grants if grant.role_id in roles]

    def _changeable(self, reference: str) -> Role:
        role = self._existing(reference)
        if role.id in (SYSTEM_ADMIN, REGISTERED_USER):
            raise Conflict("This role is built in and cannot be changed or deleted.")
        return role

    def _valid(
        self, caller: Caller, permissions: Sequence[str], already: frozenset[str] = frozenset()
    ) -> frozenset[str]:
        """The permission ids, if those that are new exist. Raises Invalid."""
        if not 1 <= len(permissions) <= MAX_PERMISSIONS:
            raise Invalid("permissions", f"must name 1 to {MAX_PERMISSIONS} permissions.")
        self._require_declared(caller, [permission for permission in permissions if permission not in already])
        return frozenset(permissions)

    def _existing(self, reference: str) -> Role:
        role = references.role(self._roles, reference)
        if role is None:
            raise NotFound("role", reference)
        return current(role)

    def _scope_id(self, caller: Caller, reference: str) -> str:
        if reference == EVERYWHERE:
            return EVERYWHERE
        service = self._services.seen(caller, [reference]).get(reference)
        if service is None:
            raise Invalid("project", f"there is no service {reference!r} that you may see.")
        return service.id

    def _require_declared(self, caller: Caller, permissions: Sequence[str]) -> None:
        services = self._services.seen(caller, {permission.partition(":")[0] for permission in permissions})
        declared = {permission.id for service in services.values() for permission in service.permissions}
        for permission in permissions:
            if permission not in declared:
                raise Invalid("permissions", f"no service that you may see declares {permission!r}.")


def _named(grant_id: str, grants: Iterable[Grant]) -> Grant | None:
    return next((grant for grant in grants if grant_id in (grant.id, grant.key)), None)


def _opening(permissions: Iterable[str], scope_id: str) -> Opening:
    scoped_permissions = PermissionSet(ScopedPermission(permission, scope_id) for permission in permissions)
    return Opening(scoped_permissions, "You lack permissions of this role")
