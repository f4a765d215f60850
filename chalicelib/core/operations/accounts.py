"""Users and bots: list, look up, create, change, delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core import names
from chalicelib.core.accounts import AccountType, User
from chalicelib.core.audit import changes
from chalicelib.core.authorization import Caller, Operation
from chalicelib.core.errors import NotFound
from chalicelib.core.identifiers import new_id
from chalicelib.core.operations.optimistic import until_current
from chalicelib.core.roles import REGISTERED_USER, Grant

if TYPE_CHECKING:
    from chalicelib.core.audit import AuditRecord
    from chalicelib.core.paging import Page, Window
    from chalicelib.core.ports import AccessStore, AccountStore

MYSELF = "me"


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What an update sets; None leaves a value as it is."""

    login: str | None = None
    name: str | None = None
    banned: bool | None = None
    ban_reason: str | None = None

    @property
    def operations(self) -> list[Operation]:
        """The operations that this change amounts to."""
        asked = []
        if self.name is not None or self == AccountChange():
            asked.append(Operation.RENAME_USER)
        if self.login is not None:
            asked.append(Operation.CHANGE_LOGIN)
        if self.banned is not None or self.ban_reason is not None:
            asked.append(Operation.BAN_USER)
        return asked


class Accounts:
    """The account directory. `reference` is an id, a login, or `me` for the caller."""

    def __init__(self, accounts: AccountStore, held: AccessStore) -> None:
        self._accounts = accounts
        self._held = held

    def find(self, caller: Caller, reference: str, *operations: Operation) -> User:
        """The account, if the caller may do all `operations` to it.

        Raises Forbidden or NotFound. Whoever lacks the permission gets Forbidden whether the
        account exists or not.
        """
        user = self._look_up(caller, reference)
        for operation in operations:
            caller.require(operation, user.id if user else None)
        if user is None:
            raise NotFound("user", reference)
        return user

    def page(self, caller: Caller, window: Window) -> Page[User]:
        """A part of all accounts, sorted by login. Raises Forbidden."""
        caller.require(Operation.LIST_USERS)
        return self._accounts.page(window)

    def create(self, caller: Caller, login: str, name: str, type: AccountType) -> User:
        """A new account with the role that everybody has. Raises Invalid, Forbidden or Conflict."""
        caller.require(Operation.CREATE_USER)
        user = User(id=new_id(), login=names.login(login), name=names.name(name), type=type, created=caller.now)
        grant = Grant(user.id, REGISTERED_USER)
        self._accounts.create(user, [grant], _record(caller, "user.created", user, {"login": user.login}))
        return user

    def update(self, caller: Caller, reference: str, change: AccountChange) -> User:
        """The account, changed. Raises Invalid, Forbidden, NotFound or Conflict."""
        login = None if change.login is None else names.login(change.login)
        name = None if change.name is None else names.name(change.name)
        reason = None if change.ban_reason is None else names.name(change.ban_reason, "banReason")

        def attempt() -> User:
            old = self.find(caller, reference, *change.operations)
            new = old.changed(login=login, name=name, banned=change.banned, ban_reason=reason)
            details = changes(old, new, "login", "name", "banned", "ban_reason")
            if not details:
                return old
            administrator = any(grant.makes_administrator for grant in self._held.held_by(old.id).grants)
            self._accounts.replace(old, new, administrator, _record(caller, "user.updated", new, details))
            return new

        return until_current(attempt)

    def delete(self, caller: Caller, reference: str) -> None:
        """The account is gone, with all its credentials, at once. Raises Forbidden, NotFound or Conflict."""

        def attempt() -> None:
            user = self.find(caller, reference, Operation.DELETE_USER)
            self._accounts.delete(user, _record(caller, "user.deleted", user, {"login": user.login}))

        until_current(attempt)

    def _look_up(self, caller: Caller, reference: str) -> User | None:
        if reference in (MYSELF, caller.user.id):
            return self._accounts.get(caller.user.id)
        if not names.may_refer(reference):
            return None
        return self._accounts.get(reference) or self._accounts.find_by_login(reference)


def _record(caller: Caller, kind: str, user: User, details: dict[str, str]) -> AuditRecord:
    return caller.record(kind, "user", user.id, owner_id=user.id, details=details)
