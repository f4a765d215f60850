"""Groups, roles and services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from chalicelib.core.access.account import User
from chalicelib.core.access.effective import Access
from chalicelib.core.access.group import Group
from chalicelib.core.access.role import Grant, Role
from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common.errors import Conflict
from chalicelib.core.common.paging import Page, Window
from chalicelib.core.common.search import Search, select
from chalicelib.core.directory.ports import Leftover
from chalicelib.core.directory.service import Service
from chalicelib.core.tokens.event import service_event
from chalicelib.core.tokens.ports import ExpirySweep
from tests.memory.accounts import MemorySweeps, all_users, check_access, count_administrators, sweep_of
from tests.memory.database import Change, Database, account, in_any_order, is_current

EXPIRY_SWEEP = ("walk",)
T = TypeVar("T")


class MemoryGroups:
    """Implements `core.access.ports.GroupStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, group_id: str) -> Group | None:
        group: Group | None = self._database.get("group", group_id)
        return group

    def get_many(self, group_ids: Iterable[str]) -> Mapping[str, Group]:
        return {id: group for id in in_any_order(group_ids) if (group := self.get(id))}

    def find_by_name(self, name: str) -> Group | None:
        id = self._database.get(*_group_name(name))
        return self.get(id) if id else None

    def page(self, window: Window, search: Search) -> Page[Group]:
        return _page(self._database.below("group"), lambda group: group.name.casefold(), ("name",), window, search)

    def create(self, group: Group, outer: Access | None, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.create(("group", group.id), group)
            change.take_name(_group_name(group.name), group.id, _group_taken(group))
            change.index(1)
            self._move(change, None, group.parent_id, outer)

    def replace(self, old: Group, new: Group, required_permissions: Access | None, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.replace(("group", new.id), new, is_current(self.get(old.id), old))
            if _group_name(old.name) != _group_name(new.name):
                change.delete(_group_name(old.name))
                change.take_name(_group_name(new.name), new.id, _group_taken(new))
            if old.parent_id != new.parent_id:
                self._move(change, old.parent_id, new.parent_id, required_permissions, new.id)
            else:
                check_access(self._database, change, required_permissions, without={new.id})
            change.index(len(old.grants ^ new.grants))
            if old.policy != new.policy:
                walk_again(change, audit.at)

    def delete(self, group: Group, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            stored = self.get(group.id)
            change.delete(
                ("group", group.id), is_current(stored, group) and stored is not None and not stored.subgroups
            )
            change.delete(_group_name(group.name))
            change.put(sweep_of(Leftover("GROUP", group.id)), audit.at)
            change.index(1)
            self._move(change, group.parent_id, None, None)
        MemorySweeps(self._database).sweep(Leftover("GROUP", group.id))

    def add_member(self, group: Group, user: User, given: Access, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            joined = replace(user, groups=user.groups | {group.id}, revision=user.revision + 1)
            change.update(account(user.id), joined, is_current(self._database.get(*account(user.id)), user))
            check_access(self._database, change, given)
            taken = Conflict("The account is in this group already.", "user")
            change.create((*account(user.id), "member", group.id), group.id, taken)
            change.index(1)

    def remove_member(self, group: Group, user: User, audit: AuditRecord) -> None:
        key = (*account(user.id), "member", group.id)
        with self._database.change(audit) as change:
            left = replace(user, groups=user.groups - {group.id}, revision=user.revision + 1)
            change.update(account(user.id), left, is_current(self._database.get(*account(user.id)), user))
            change.delete(key, key in self._database.things)
            change.index(1)

    def _move(
        self,
        change: Change,
        old: str | None,
        new: str | None,
        required_permissions: Access | None,
        moved: str | None = None,
    ) -> None:
        """The group `moved` leaves the parent `old` and enters `new`, if all that was `required_permissions` is
        unchanged."""
        check_access(self._database, change, required_permissions, without={old, new, moved})
        known = required_permissions.groups if required_permissions else {}
        for group_id, difference in ((old, -1), (new, +1)):
            if group_id is not None:
                stored = self.get(group_id)
                holds = is_current(stored, known[group_id]) if group_id in known else stored is not None
                if stored:
                    subgroups, revision = stored.subgroups + difference, stored.revision + 1
                    stored = replace(stored, subgroups=subgroups, revision=revision)
                change.update(("group", group_id), stored, holds)


class MemoryRoles:
    """Implements `core.access.ports.RoleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, role_id: str) -> Role | None:
        role: Role | None = self._database.get("role", role_id)
        return role

    def get_many(self, role_ids: Iterable[str]) -> Mapping[str, Role]:
        return {id: role for id in in_any_order(role_ids) if (role := self.get(id))}

    def find_by_key(self, key: str) -> Role | None:
        id = self._database.get("role's key", key)
        return self.get(id) if id else None

    def page(self, window: Window, search: Search) -> Page[Role]:
        return _page(self._database.below("role"), lambda role: role.key, ("key", "name"), window, search)

    def create(self, role: Role, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.create(("role", role.id), role, _role_taken(role))
            change.take_name(("role's key", role.key), role.id, _role_taken(role))
            change.index(1)

    def replace(self, old: Role, new: Role, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.replace(("role", new.id), new, is_current(self.get(old.id), old))
            if old.key != new.key:
                change.delete(("role's key", old.key))
                change.take_name(("role's key", new.key), new.id, _role_taken(new))

    def delete(self, role: Role, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.delete(("role", role.id), is_current(self.get(role.id), role))
            change.delete(("role's key", role.key))
            change.index(1)

    def grants(self, window: Window, role_id: str | None) -> Page[Grant]:
        own: Iterator[Grant] = (
            each for user in all_users(self._database) for each in self._database.below(*account(user.id), "grant")
        )
        groups: Iterator[Group] = self._database.below("group")
        given = (Grant(group.id, *pair) for group in groups for pair in group.grants)
        wanted = [each for each in (*own, *given) if role_id in (None, each.role_id)]
        wanted.sort(key=lambda grant: (grant.role_id, grant.holder_id, grant.scope_id))
        return Page(wanted[window.skip : window.skip + window.top], len(wanted))

    def grant(self, owner: User, grant: Grant, role: Role, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            self._change_owner(change, owner)
            change.check(is_current(self.get(role.id), role))
            taken = Conflict("The account has this role there already.", "role")
            change.create((*account(owner.id), "grant", grant.key), grant, taken)
            if grant.makes_administrator and not owner.banned:
                count_administrators(change, +1)

    def revoke(self, owner: User, grant: Grant, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            self._change_owner(change, owner)
            change.delete((*account(owner.id), "grant", grant.key))
            if grant.makes_administrator and not owner.banned:
                count_administrators(change, -1)

    def _change_owner(self, change: Change, owner: User) -> None:
        key = account(owner.id)
        change.update(key, replace(owner, revision=owner.revision + 1), is_current(self._database.get(*key), owner))


class MemoryServices:
    """Implements `core.directory.ports.ServiceStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, service_id: str) -> Service | None:
        service: Service | None = self._database.get("service", service_id)
        return service

    def get_many(self, service_ids: Iterable[str]) -> Mapping[str, Service]:
        return {id: service for id in in_any_order(service_ids) if (service := self.get(id))}

    def find_by_key(self, key: str) -> Service | None:
        id = self._database.get("service's key", key)
        return self.get(id) if id else None

    def page(self, window: Window, search: Search) -> Page[Service]:
        return _page(self._database.below("service"), lambda service: service.key, ("key", "name"), window, search)

    def create(self, service: Service, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.create(("service", service.id), service)
            change.take_name(("service's key", service.key), service.id, _service_taken(service))
            change.index(1)

    def replace(self, old: Service, new: Service, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.replace(("service", new.id), new, is_current(self.get(old.id), old))
            if old.key != new.key:
                change.delete(("service's key", old.key))
                change.take_name(("service's key", new.key), new.id, _service_taken(new))
            if old.policy != new.policy:
                walk_again(change, audit.at)
            happened = service_event(new, audit)
            if happened:
                change.put(("event", happened.token_id, f"{happened.sequence:012d}"), happened)

    def delete(self, service: Service, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.delete(("service", service.id), is_current(self.get(service.id), service))
            change.delete(("service's key", service.key))
            change.index(1)


def walk_again(change: Change, now: int) -> None:
    """All tokens have to be looked at again."""
    database = change.database
    change.put(EXPIRY_SWEEP, replace(database.get(*EXPIRY_SWEEP) or ExpirySweep(), wanted=now, after=None))


def _page(
    things: Iterable[T], position: Callable[[T], str], fields: Sequence[str], window: Window, search: Search
) -> Page[T]:
    found = select(sorted(things, key=position), search, fields)
    return Page(found[window.skip : window.skip + window.top], len(found))


def _group_name(name: str) -> tuple[str, ...]:
    return ("group's name", name.casefold())


def _group_taken(group: Group) -> Conflict:
    return Conflict(f"There is a group named {group.name!r} already.", "name")


def _role_taken(role: Role) -> Conflict:
    return Conflict(f"The role key {role.key!r} is taken.", "key")


def _service_taken(service: Service) -> Conflict:
    return Conflict(f"The service key {service.key!r} is taken.", "key")
