"""Groups and memberships in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.role import Grant
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.directory.ports import Leftover
from chalicelib.storage.access import change_owner, check_unchanged
from chalicelib.storage.collection import SortedIndex, page_of, read, read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.expiry_sweep import look_at_all_tokens
from chalicelib.storage.items import GROUPS, GroupGrantItem, GroupItem, MemberItem, NameItem, UserItem, members_of
from chalicelib.storage.sweeps import sweep_after
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pynamodb.expressions.update import Action

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.access.group import Group
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.paging import Page, Window
    from chalicelib.core.common.search import Search


@translate_database_errors
class DynamoGroups:
    """Implements `core.access.ports.GroupStore`."""

    def get(self, group_id: str) -> Group | None:
        item = read_one(GroupItem, keys.group(group_id))
        return item.to_group() if item else None

    def get_many(self, group_ids: Iterable[str]) -> Mapping[str, Group]:
        groups = (item.to_group() for item in read(GroupItem, [keys.group(id) for id in group_ids]).values())
        return {group.id: group for group in groups}

    def find_by_name(self, name: str) -> Group | None:
        taken = read_one(NameItem, keys.group_name(name))
        return self.get(taken.holder_id) if taken else None

    def page(self, window: Window, search: Search) -> Page[Group]:
        return page_of(GroupItem, SortedIndex(GROUPS, "name"), GroupItem.to_group, window, search)

    def create(self, group: Group, outer: Access | None, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.create(GroupItem.of(group), otherwise=StaleWrite())
        transaction.take_name(keys.group_name(group.name), group.id, otherwise=_name_taken(group))
        transaction.count(GROUPS, +1)
        _move(transaction, None, group.parent_id, outer)
        transaction.commit()

    def replace(self, old: Group, new: Group, required_permissions: Access | None, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.replace(GroupItem.of(new), GroupItem.revision == old.revision, otherwise=StaleWrite())
        if keys.group_name(old.name) != keys.group_name(new.name):
            transaction.free_name(keys.group_name(old.name))
            transaction.take_name(keys.group_name(new.name), new.id, otherwise=_name_taken(new))
        if old.parent_id != new.parent_id:
            _move(transaction, old.parent_id, new.parent_id, required_permissions, new.id)
        else:
            check_unchanged(transaction, required_permissions, without={new.id})
        for pair in old.grants - new.grants:
            transaction.delete(GroupGrantItem.of(Grant(old.id, *pair)))
        for pair in new.grants - old.grants:
            transaction.create(GroupGrantItem.of(Grant(new.id, *pair)), otherwise=StaleWrite())
        if old.policy != new.policy:
            look_at_all_tokens(transaction, audit.at)
        transaction.commit()

    def delete(self, group: Group, audit: AuditRecord) -> None:
        """A few steps, whatever hangs on the group: what is held of a group that is gone adds nothing."""
        transaction = Transaction(audit)
        unchanged = (GroupItem.revision == group.revision) & (GroupItem.subgroups == 0)
        transaction.delete(GroupItem(*keys.group(group.id)), unchanged, otherwise=StaleWrite())
        transaction.free_name(keys.group_name(group.name))
        transaction.count(GROUPS, -1)
        _move(transaction, group.parent_id, None, None)
        sweep_after(transaction, Leftover("GROUP", group.id), audit.at)

    def add_member(self, group: Group, user: User, given: Access, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        change_owner(transaction, user, [UserItem.groups.add({group.id})])
        check_unchanged(transaction, given)
        taken = Conflict("The account is in this group already.", "user")
        transaction.create(MemberItem.of(group, user), otherwise=taken)
        transaction.count(members_of(group.id), +1)
        transaction.commit()

    def remove_member(self, group: Group, user: User, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        change_owner(transaction, user, [UserItem.groups.delete({group.id})])
        transaction.delete(MemberItem.of(group, user), MemberItem.pk.exists(), otherwise=StaleWrite())
        transaction.count(members_of(group.id), -1)
        transaction.commit()


def _move(
    transaction: Transaction,
    old: str | None,
    new: str | None,
    required_permissions: Access | None,
    moved: str | None = None,
) -> None:
    """The group `moved` leaves the parent `old` and enters `new`, if all that was `required_permissions` is unchanged.

    What is written, a parent too, cannot be checked by itself: its condition stands at the writing.
    """
    groups = required_permissions.groups if required_permissions else {}
    check_unchanged(transaction, required_permissions, without={old, new, moved})
    for group_id, change in ((old, -1), (new, +1)):
        if group_id is not None:
            known = groups.get(group_id)
            condition = GroupItem.revision == known.revision if known else GroupItem.pk.exists()
            actions: list[Action] = [GroupItem.subgroups.add(change), GroupItem.revision.add(1)]
            transaction.update(GroupItem(*keys.group(group_id)), actions, condition, otherwise=StaleWrite())


def _name_taken(group: Group) -> Conflict:
    return Conflict(f"There is a group named {group.name!r} already.", "name")
