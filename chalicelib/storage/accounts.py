"""Users and bots in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.account import LOGIN_REST_MS
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, LoginRests, StaleWrite
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.directory.ports import Leftover
from chalicelib.storage.access import check_unchanged
from chalicelib.storage.account_search import AccountSearch
from chalicelib.storage.collection import read, read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import (
    BY_NAME,
    USERS,
    CredentialItem,
    DelegationItem,
    FormerLoginItem,
    GrantItem,
    IndexEntryItem,
    MemberItem,
    NameItem,
    TrustRuleItem,
    UserItem,
    entries_of,
    moment,
)
from chalicelib.storage.sweeps import sweep_after
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.access.role import Grant
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.paging import Page, Window
    from chalicelib.core.common.search import Search

LAST_ADMINISTRATOR = "This is the last administrator who can log in. Create another one first."


@translate_database_errors
class DynamoAccounts:
    """Implements `core.access.ports.AccountStore`."""

    def get(self, user_id: str) -> User | None:
        item = read_one(UserItem, keys.user(user_id))
        return item.to_user() if item else None

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, User]:
        users = (item.to_user() for item in read(UserItem, [keys.user(id) for id in user_ids]).values())
        return {user.id: user for user in users}

    def find_by_login(self, login: str) -> User | None:
        name = read_one(NameItem, keys.login(validation.login_key(login)))
        return self.get(name.holder_id) if name else None

    def page(self, window: Window, search: Search, group_id: str | None, owner_id: str | None) -> Page[User]:
        return AccountSearch(search, group_id, owner_id).page(window)

    def last_used(self, user_id: str) -> int | None:
        pk, _ = keys.user(user_id)
        used_things = CredentialItem | DelegationItem | TrustRuleItem
        credentials = (item for item in Item.query(pk, consistent_read=True) if isinstance(item, used_things))
        used = [int(item.last_used) for item in credentials if item.last_used is not None]
        return max(used, default=None)

    def create(self, user: User, grants: Iterable[Grant], audit: AuditRecord, reuse: bool = False) -> None:
        transaction = Transaction(audit)
        transaction.create(UserItem.of(user), otherwise=StaleWrite())
        _take_login(transaction, user, audit.at, reuse)
        transaction.count(USERS, +1)
        for grant in grants:
            transaction.create(GrantItem.of(grant), otherwise=StaleWrite())
            if grant.makes_administrator and not user.banned:
                transaction.count_administrators(+1, otherwise=StaleWrite())
        _enter(transaction, user.id, {}, entries_of(user))
        transaction.commit()

    def replace(
        self,
        old: User,
        new: User,
        administrator: bool,
        audit: AuditRecord,
        reuse: bool = False,
        required_permissions: Access | None = None,
    ) -> None:
        transaction = Transaction(audit)
        check_unchanged(transaction, required_permissions)
        transaction.replace(UserItem.of(new), UserItem.revision == old.revision, otherwise=StaleWrite())
        if validation.login_key(old.login) != validation.login_key(new.login):
            _free_login(transaction, old, audit.at)
            _take_login(transaction, new, audit.at, reuse)
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
            position = MemberItem.position.set(validation.login_key(user.login))
            transaction.update(member, [position], MemberItem.pk.exists(), otherwise=StaleWrite())

    def delete(self, user: User, audit: AuditRecord) -> None:
        """A few steps, whatever hangs on the account: a token without its owner is refused."""
        pk, _ = item_key = keys.user(user.id)
        transaction = Transaction(audit)
        transaction.delete(UserItem(*item_key), UserItem.revision == user.revision, otherwise=StaleWrite())
        _free_login(transaction, user, audit.at)
        transaction.count(USERS, -1)
        grants = GrantItem.query(pk, GrantItem.sk.startswith(keys.GRANT_PREFIX), consistent_read=True)
        if not user.banned and any(item.to_grant().makes_administrator for item in grants):
            transaction.count_administrators(-1, otherwise=Conflict(LAST_ADMINISTRATOR))
        sweep_after(transaction, Leftover("USER", user.id), audit.at)


def _take_login(transaction: Transaction, user: User, now: int, reuse: bool) -> None:
    login = validation.login_key(user.login)
    transaction.take_name(keys.login(login), user.id, otherwise=_login_taken(user))
    if not reuse:
        former = FormerLoginItem
        rested = former.pk.does_not_exist() | (former.expires <= moment(now)) | (former.holder_id == user.id)
        transaction.check(former(*keys.former_login(login)), rested, otherwise=_login_rests(user))


def _free_login(transaction: Transaction, user: User, now: int) -> None:
    login = validation.login_key(user.login)
    transaction.free_name(keys.login(login))
    ends = moment(now + LOGIN_REST_MS)
    transaction.put(FormerLoginItem(*keys.former_login(login), holder_id=user.id, expires=ends))


def _enter(transaction: Transaction, user_id: str, old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """The account is found where the `new` entries say, and no longer where only the `old` ones do."""
    for collection in old.keys() - new.keys():
        transaction.delete(Item(*keys.entry(user_id, collection)))
        transaction.count(collection, -1)
    for collection, position in new.items():
        if old.get(collection) != position:  # an account that is older than entries gets them with its next change
            transaction.put(IndexEntryItem.of(user_id, collection, position))
        if collection not in old and collection != BY_NAME:
            transaction.count(collection, +1)


def _login_taken(user: User) -> Conflict:
    return Conflict(f"The login {user.login!r} is taken.", "login")


def _login_rests(user: User) -> LoginRests:
    return LoginRests(
        f"The login {user.login!r} belonged to another account less than {LOGIN_REST_MS // DAY_MS} days ago. "
        "Until that time has passed, only a System Admin can reuse it.",
        "login",
    )
