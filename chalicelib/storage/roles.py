"""Roles and grants in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.common.paging import Page
from chalicelib.storage.access import change_owner
from chalicelib.storage.accounts import LAST_ADMINISTRATOR
from chalicelib.storage.collection import SortedIndex, count, keys_in, page_of, read, read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.items import BETWEEN, GRANTS, ROLES, GrantItem, NameItem, RoleItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.access.account import User
    from chalicelib.core.access.role import Grant, Role
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.paging import Window
    from chalicelib.core.common.search import Search


@translate_database_errors
class DynamoRoles:
    """Implements `core.access.ports.RoleStore`."""

    def get(self, role_id: str) -> Role | None:
        item = read_one(RoleItem, keys.role(role_id))
        return item.to_role() if item else None

    def get_many(self, role_ids: Iterable[str]) -> Mapping[str, Role]:
        roles = (item.to_role() for item in read(RoleItem, [keys.role(id) for id in role_ids]).values())
        return {role.id: role for role in roles}

    def find_by_key(self, key: str) -> Role | None:
        name = read_one(NameItem, keys.role_key(key))
        return self.get(name.holder_id) if name else None

    def page(self, window: Window, search: Search) -> Page[Role]:
        return page_of(RoleItem, SortedIndex(ROLES, "key"), RoleItem.to_role, window, search)

    def create(self, role: Role, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        taken = Conflict(f"The role key {role.key!r} is taken.", "key")
        transaction.create(RoleItem.of(role), otherwise=taken)
        transaction.take_name(keys.role_key(role.key), role.id, otherwise=taken)
        transaction.count(ROLES, +1)
        transaction.commit()

    def replace(self, old: Role, new: Role, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.replace(RoleItem.of(new), RoleItem.revision == old.revision, otherwise=StaleWrite())
        if old.key != new.key:
            taken = Conflict(f"The role key {new.key!r} is taken.", "key")
            transaction.free_name(keys.role_key(old.key))
            transaction.take_name(keys.role_key(new.key), new.id, otherwise=taken)
        transaction.commit()

    def delete(self, role: Role, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.delete(RoleItem.of(role), RoleItem.revision == role.revision, otherwise=StaleWrite())
        transaction.free_name(keys.role_key(role.key))
        transaction.count(ROLES, -1)
        transaction.commit()

    def grants(self, window: Window, role_id: str | None) -> Page[Grant]:
        index = SortedIndex(GRANTS, "role", f"{role_id}{BETWEEN}" if role_id else "", counted=False)
        item_keys = keys_in(index, window)
        found = read(GrantItem, item_keys)
        return Page([found[item_key].to_grant() for item_key in item_keys if item_key in found], count(index))

    def grant(self, owner: User, grant: Grant, role: Role, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        change_owner(transaction, owner)
        transaction.check(RoleItem.of(role), RoleItem.revision == role.revision, otherwise=StaleWrite())
        transaction.create(GrantItem.of(grant), otherwise=Conflict("The account has this role there already.", "role"))
        if grant.makes_administrator and not owner.banned:
            transaction.count_administrators(+1, otherwise=StaleWrite())
        transaction.commit()

    def revoke(self, owner: User, grant: Grant, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        change_owner(transaction, owner)
        transaction.delete(GrantItem.of(grant))
        if grant.makes_administrator and not owner.banned:
            transaction.count_administrators(-1, otherwise=Conflict(LAST_ADMINISTRATOR))
        transaction.commit()
