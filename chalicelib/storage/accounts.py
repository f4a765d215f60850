"""Users and bots in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core import names
from chalicelib.core.errors import Conflict, StaleWrite
from chalicelib.storage import keys
from chalicelib.storage.account_search import AccountSearch
from chalicelib.storage.availability import answers_or_unavailable
from chalicelib.storage.collection import read, read_one
from chalicelib.storage.items import (
    BY_NAME,
    USERS,
    CredentialItem,
    DelegationItem,
    EntryItem,
    GrantItem,
    MemberItem,
    NameItem,
    TrustRuleItem,
    UserItem,
    entries_of,
)
from chalicelib.storage.table import Item
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.accounts import User
    from chalicelib.core.audit import AuditRecord
    from chalicelib.core.paging import Page, Window
    from chalicelib.core.roles import Grant
    from chalicelib.core.search import Search

STEPS = 100  # of one DynamoDB transaction
LAST_ADMINISTRATOR = "This is the last administrator who can log in. Make another one first."


@answers_or_unavailable
class DynamoAccounts:
    """Implements `core.ports.AccountStore`."""

    def get(self, user_id: str) -> User | None:
        item = read_one(UserItem, keys.user(user_id))
        return item.to_user() if item else None

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, User]:
        users = (item.to_user() for item in read(UserItem, [keys.user(id) for id in user_ids]).values())
        return {user.id: user for user in users}

    def find_by_login(self, login: str) -> User | None:
        name = read_one(NameItem, keys.login(names.login_key(login)))
        return self.get(name.holder_id) if name else None

    def page(self, window: Window, search: Search, group_id: str | None, owner_id: str | None) -> Page[User]:
        return AccountSearch(search, group_id, owner_id).page(window)

    def last_used(self, user_id: str) -> int | None:
        pk, _ = keys.user(user_id)
        used_things = CredentialItem | DelegationItem | TrustRuleItem
        credentials = (item for item in Item.query(pk, consistent_read=True) if isinstance(item, used_things))
        used = [int(item.last_used) for item in credentials if item.last_used is not None]
        return max(used, default=None)

    def create(self, user: User, grants: Iterable[Grant], audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.create(UserItem.of(user), otherwise=StaleWrite())
        transaction.take_name(keys.login(names.login_key(user.login)), user.id, otherwise=_login_taken(user))
        transaction.count(USERS, +1)
        for grant in grants:
            transaction.create(GrantItem.of(grant), otherwise=StaleWrite())
            if grant.makes_administrator:
                transaction.count_administrators(+1, otherwise=StaleWrite())
        _enter(transaction, user.id, {}, entries_of(user))
        transaction.commit()

    def replace(self, old: User, new: User, administrator: bool, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.replace(UserItem.of(new), UserItem.revision == old.revision, otherwise=StaleWrite())
        old_key, new_key = names.login_key(old.login), names.login_key(new.login)
        if old_key != new_key:
            transaction.free_name(keys.login(old_key))
            transaction.take_name(keys.login(new_key), new.id, otherwise=_login_taken(new))
            self._move_members(transaction, new)
        _enter(transaction, new.id, entries_of(old), entries_of(new))
        if administrator and old.banned != new.banned:
            change = -1 if new.banned else +1
            transaction.count_administrators(change, otherwise=Conflict(LAST_ADMINISTRATOR, "banned"))
        transaction.commit()

    def _move_members(self, transaction: Transaction, user: User) -> None:
        """Groups list their members by login. Joining or leaving one changes the account, and so cannot be missed."""
        pk, _ = keys.user(user.id)
        for member in MemberItem.query(pk, MemberItem.sk.startswith(keys.MEMBER_PREFIX), consistent_read=True):
            position = MemberItem.position.set(names.login_key(user.login))
            transaction.update(member, [position], MemberItem.pk.exists(), otherwise=StaleWrite())

    def delete(self, user: User, audit: AuditRecord) -> None:
        """The memberships, and as much else as fits, go in one transaction with the account itself;
        what a larger account leaves is dead from that moment, since a token without its owner is
        refused, and is swept after it."""
        profile, rest = _partition(user)
        transaction = Transaction(audit)
        transaction.delete(profile, UserItem.revision == user.revision, otherwise=StaleWrite())
        transaction.free_name(keys.login(names.login_key(user.login)))
        transaction.count(USERS, -1)
        if not user.banned and any(_makes_administrator(item) for item in rest):
            transaction.count_administrators(-1, otherwise=Conflict(LAST_ADMINISTRATOR))
        swept = [item for item in rest if not _fits(transaction, item)]
        transaction.commit()
        with Item.batch_write() as batch:
            for item in swept:
                batch.delete(item)


def _enter(transaction: Transaction, user_id: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """The account is found where the `new` entries say, and no longer where only the `old` ones do."""
    for collection in old.keys() - new.keys():
        transaction.delete(Item(*keys.entry(user_id, collection)))
        transaction.count(collection, -1)
    for collection, position in new.items():
        if old.get(collection) != position:  # an account that is older than entries gets them with its next change
            transaction.put(EntryItem.of(user_id, collection, position))
        if collection not in old and collection != BY_NAME:
            transaction.count(collection, +1)


def _fits(transaction: Transaction, item: Item) -> bool:
    """Add the item's deletion to the transaction, if it has room for that."""
    counted = isinstance(item, MemberItem | EntryItem) and item.collection not in (None, BY_NAME)
    if len(transaction) + (2 if counted else 1) > STEPS:
        return False
    transaction.delete(item)
    if counted:
        transaction.count(item.collection, -1)
    return True


def _partition(user: User) -> tuple[Item, list[Item]]:
    pk, profile_sk = keys.user(user.id)
    items = list(Item.query(pk, consistent_read=True))
    # What is counted first: counters must be right, and so it must not be left for the sweep.
    counted_first = sorted(items, key=lambda item: not isinstance(item, MemberItem | EntryItem))
    profile = UserItem(pk, profile_sk)
    return profile, [item for item in counted_first if item.sk != profile_sk]


def _makes_administrator(item: Item) -> bool:
    return isinstance(item, GrantItem) and item.to_grant().makes_administrator


def _login_taken(user: User) -> Conflict:
    return Conflict(f"The login {user.login!r} is taken.", "login")
