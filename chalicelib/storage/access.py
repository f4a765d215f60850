"""What accounts hold, and how a transaction insists that what was compared is still so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.effective import DirectGrants
from chalicelib.core.common.errors import StaleWrite
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import GrantItem, GroupItem, MemberItem, RoleItem, UserItem

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pynamodb.expressions.update import Action

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.storage.transaction import Transaction


@translate_database_errors
class DynamoAccess:
    """Implements `core.access.ports.AccessStore`."""

    def direct_grants(self, user_id: str) -> DirectGrants:
        pk, _ = keys.user(user_id)
        between = Item.sk.between(keys.GRANT_PREFIX, keys.MEMBER_PREFIX + "~")  # nothing else sorts in between
        items = list(Item.query(pk, between, consistent_read=True))
        return DirectGrants(
            grants=tuple(item.to_grant() for item in items if isinstance(item, GrantItem)),
            groups=tuple(item.group_id for item in items if isinstance(item, MemberItem)),
        )


def change_owner(transaction: Transaction, owner: User, also: Sequence[Action] = ()) -> None:
    """A change of what an account holds is a change of the account: what was decided before is stale."""
    transaction.update(
        UserItem(*keys.user(owner.id)),
        [UserItem.revision.set(owner.revision + 1), *also],
        condition=UserItem.revision == owner.revision,
        otherwise=StaleWrite(),
    )


def check_unchanged(transaction: Transaction, access: Access | None, without: Collection[str | None] = ()) -> None:
    """Every group and role that the access rests on is as it was; groups in `without` are not looked at."""
    if access is None:
        return
    for group in access.groups.values():
        if group.id not in without:
            item = GroupItem(*keys.group(group.id))
            transaction.check(item, GroupItem.revision == group.revision, otherwise=StaleWrite())
    for role in access.roles.values():
        transaction.check(RoleItem(*keys.role(role.id)), RoleItem.revision == role.revision, otherwise=StaleWrite())


def check_owner_unchanged(transaction: Transaction, owner: User, required_permissions: Access | None) -> None:
    """The owner, all that the owner holds, and what that means, is as it was when the rules were applied."""
    transaction.check(UserItem(*keys.user(owner.id)), UserItem.revision == owner.revision, otherwise=StaleWrite())
    check_unchanged(transaction, required_permissions)
