"""Users and bots: list, look up, create, change, delete."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.access import references
from chalicelib.core.access.account import AccountType, Owner, OwnerKind, User
from chalicelib.core.access.group import Group
from chalicelib.core.access.role import REGISTERED_USER, Grant
from chalicelib.core.access.rules import Including, Operation
from chalicelib.core.audit.records import changes
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid, LoginRests, NotFound, Unavailable
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import require_seen, retry_on_conflict, retry_persistently
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from chalicelib.core.access.caller import Caller, Permit
    from chalicelib.core.access.ports import AccessStore, AccountStore, GroupStore
    from chalicelib.core.access.reader import EffectiveAccess
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.paging import Page

RELEASED_AT_ONCE = 25  # bots of an owner who is gone
MYSELF = "me"
OWNERLESS = ""  # as an owner: none


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What an update sets; None leaves a value as it is."""

    login: str | None = None
    name: str | None = None
    banned: bool | None = None
    ban_reason: str | None = None
    owner: str | None = None  # an account or group; OWNERLESS for none
    description: str | None = None
    email: str | None = None

    @property
    def operations(self) -> list[Operation]:
        """The operations that this change amounts to."""
        asked = []
        if self.name is not None or self.email is not None or self == AccountChange():
            asked.append(Operation.EDIT_PROFILE)
        if self.description is not None:
            asked.append(Operation.DESCRIBE_USER)
        if self.owner is not None:
            asked.append(Operation.CHANGE_OWNER)
        if self.login is not None:
            asked.append(Operation.CHANGE_LOGIN)
        if self.banned or self.ban_reason is not None:
            asked.append(Operation.BAN_USER)
        if self.banned is False:
            asked.append(Operation.UNBAN_USER)
        return asked

    @property
    def opens(self) -> bool:
        """Whether it does more than describe the account, or take it away."""
        return any(operation.rule.fresh for operation in self.operations)


class Accounts:
    """The account directory. `reference` is an id, a login, or `me` for the caller."""

    def __init__(
        self, accounts: AccountStore, access_store: AccessStore, groups: GroupStore, access: EffectiveAccess
    ) -> None:
        self._accounts = accounts
        self._access_store = access_store
        self._groups = groups
        self._access = access

    def find(self, caller: Caller, reference: str, operation: Operation) -> User:
        """The account, if the caller may do this to it. Raises as `permitted`."""
        return self.permitted(caller, reference, operation)[0]

    def checked(self, caller: Caller, reference: str, *operations: Operation) -> User:
        """The account, which the caller may do all these operations to as far as what they open is not looked at.

        Raises Forbidden or NotFound. Whoever lacks the permission gets Forbidden whether the account exists or not.
        """
        user = self._look_up(caller, reference)
        for operation in operations:
            caller.check(operation, user.id if user else None)
        if user is None:
            raise NotFound("user", reference)
        return user

    def permitted(self, caller: Caller, reference: str, operation: Operation, *more: Operation) -> tuple[User, Permit]:
        """The account, and that the caller may do all these operations to it.

        Raises as `checked`.
        """
        operations = operation, *more
        user = self.checked(caller, reference, *operations)
        opens = None
        if user.id != caller.user.id and any(each.rule.includes is Including.ACCOUNT for each in operations):
            opens = self._access.opening_of_account(caller, user)
        *_, permit = [caller.require(operation, user.id, opens=opens) for operation in operations]
        return user, permit

    def page(self, caller: Caller, window: Window, search: Search = EVERYTHING) -> Page[User]:
        """A part of the accounts that are wanted, in the order of `AccountStore.page`.

        Its terms may name a `group` (direct members) and an `owner` (of bots), by id, name or login.
        Raises Invalid or Forbidden.
        """
        caller.check(Operation.LIST_USERS)
        terms = dict(search.terms)
        group, owner = terms.pop("group", None), terms.pop("owner", None)
        group_id = None if group is None else self._group_id(caller, group)
        owner_id = None if owner is None else self._owner(caller, owner, "query").id
        return self._accounts.page(window, replace(search, terms=terms), group_id, owner_id)

    def members(self, group: Group, window: Window, search: Search) -> Page[User]:
        """A part of the accounts that are directly in the group. The caller asks for who may read it."""
        return self._accounts.page(window, search, group.id, None)

    def create(
        self,
        caller: Caller,
        login: str,
        name: str,
        type: AccountType,
        owner: str | None = None,
        description: str = "",
        email: str = "",
    ) -> User:
        """A new account with the role that everybody has. A bot belongs to its creator unless said otherwise.

        Raises Invalid, Forbidden or Conflict.
        """
        permit = caller.require(Operation.CREATE_USER)
        user = User(
            id=new_id(),
            login=validation.not_an_id(validation.login(login), "login"),
            name=validation.name(name),
            type=type,
            created=caller.now,
            owner=self._owner_of_new(caller, type, owner),
            description=validation.description(description) or None,
            email=validation.email(email) or None,
        )
        grant = Grant(user.id, REGISTERED_USER)
        record = _record(permit, "user.created", user, {"login": user.login})
        _unless_it_rests(caller, lambda reuse: self._accounts.create(user, [grant], record, reuse))
        return user

    def update(self, caller: Caller, reference: str, change: AccountChange, seen: int | None = None) -> User:
        """The account, changed. Raises Invalid, Forbidden, NotFound or Conflict; Changed unless it has still the
        revision `seen`, if one is given."""
        login = None if change.login is None else validation.login(change.login)
        name = None if change.name is None else validation.name(change.name)
        reason = None if change.ban_reason is None else validation.name(change.ban_reason, "banReason")
        description = None if change.description is None else validation.description(change.description)
        email = None if change.email is None else validation.email(change.email)

        def attempt() -> User:
            old, permit = self.permitted(caller, reference, *change.operations)
            require_seen(seen, old.revision)
            new = old.changed(
                login=login, name=name, banned=change.banned, ban_reason=reason, description=description, email=email
            )
            if change.owner is not None:
                new = replace(new, owner=self._owner_of(caller, old.type, change.owner))
            if new.login != old.login:
                validation.not_an_id(new.login, "login")
            details = changes(old, new, "login", "name", "banned", "ban_reason", "owner", "description", "email")
            if not details:
                return old
            administrator = any(grant.makes_administrator for grant in self._access_store.direct_grants(old.id).grants)
            record = _record(permit, "user.updated", new, details)
            # A new login is written into every membership too. A ban takes away, and must not fail by what they hold.
            moved = len(old.groups) if new.login != old.login else 0
            required_permissions = permit.insisting(moved) if change.opens else None
            _unless_it_rests(
                caller,
                lambda reuse: self._accounts.replace(old, new, administrator, record, reuse, required_permissions),
            )
            return new

        return retry_persistently(attempt) if change.banned else retry_on_conflict(attempt)

    def delete(self, caller: Caller, reference: str) -> None:
        """The account is gone, with all its credentials, at once. Raises Forbidden, NotFound or Conflict."""

        def attempt() -> tuple[User, Permit]:
            user, permit = self.permitted(caller, reference, Operation.DELETE_USER)
            self._accounts.delete(user, _record(permit, "user.deleted", user, {"login": user.login}))
            return user, permit

        user, permit = retry_persistently(attempt)
        self.released_by(permit, user.id)

    def known(self, caller: Caller, ids: Iterable[str]) -> Mapping[str, User]:
        """Those of these accounts that exist and that the caller may read, by id."""
        return self._accounts.get_many({id for id in ids if caller.is_allowed(Operation.READ_USER, id)})

    def last_used(self, user: User) -> int | None:
        """When one of the credentials that the account has was used last, in milliseconds since the epoch."""
        return self._accounts.last_used(user.id)

    def owners_of(self, caller: Caller, bots: Iterable[User]) -> Mapping[str, User | Group | None]:
        """The owners that exist, by id; None is one that the caller may not see. Two reads for a hundred bots."""
        owners = {bot.owner for bot in bots if bot.owner}
        users = self._accounts.get_many({owner.id for owner in owners if owner.kind is OwnerKind.USER})
        groups = self._groups.get_many({owner.id for owner in owners if owner.kind is OwnerKind.GROUP})
        found: dict[str, User | Group] = {**users, **groups}
        return {id: owner if self._sees_owner(caller, owner) else None for id, owner in found.items()}

    def released_by(self, permit: Permit, owner_id: str) -> None:
        """`release_bots_of`, by a caller who has deleted the owner; what fails, or is too much, is done later."""
        with contextlib.suppress(Unavailable):
            self.release_bots_of(owner_id, lambda bot: _record(permit, "user.owner-left", bot, {"owner": owner_id}))

    def release_bots_of(self, owner_id: str, record: Callable[[User], AuditRecord]) -> bool:
        """The owner is gone: its bots are ownerless. They show up as such from the moment it went; this makes
        some of them be found so, and records it. Whether those were all; may be repeated."""
        page = self._accounts.page(Window(0, RELEASED_AT_ONCE), EVERYTHING, None, owner_id)
        for bot in page.items:
            retry_on_conflict(functools.partial(self._release, bot.id, owner_id, record))
        return page.total <= RELEASED_AT_ONCE

    def _release(self, bot_id: str, owner_id: str, record: Callable[[User], AuditRecord]) -> None:
        old = self._accounts.get(bot_id)
        if old is None or old.owner is None or old.owner.id != owner_id:
            return
        new = replace(old, owner=None, revision=old.revision + 1)
        self._accounts.replace(old, new, administrator=False, audit=record(new))

    def _owner_of_new(self, caller: Caller, type: AccountType, reference: str | None) -> Owner | None:
        if reference is not None:
            return self._owner_of(caller, type, reference)
        if type is AccountType.USER:
            return None
        return Owner(OwnerKind.USER, caller.user.id) if caller.user.type is AccountType.USER else caller.user.owner

    def _owner_of(self, caller: Caller, type: AccountType, reference: str) -> Owner | None:
        """Raises Invalid unless the reference leads to a person or a group, and the account is a bot."""
        if reference == OWNERLESS:
            return None
        if type is not AccountType.BOT:
            raise Invalid("owner", "only a bot has an owner.")
        return self._owner(caller, reference, "owner")

    def _owner(self, caller: Caller, reference: str, field: str) -> Owner:
        for found in self._possible_owners(reference):
            if isinstance(found, Group) and self._sees_owner(caller, found):
                return Owner(OwnerKind.GROUP, found.id)
            if isinstance(found, User) and found.type is AccountType.USER and self._sees_owner(caller, found):
                return Owner(OwnerKind.USER, found.id)
        raise Invalid(field, f"there is no person or group {reference!r} that you may see.")

    def _possible_owners(self, reference: str) -> Iterator[User | Group | None]:
        """What has this id; if nothing has, what is called so."""
        found = references.account_or_group_with_id(self._accounts, self._groups, reference)
        yield found
        if found is None:
            yield references.account_called(self._accounts, reference)
            yield references.group_called(self._groups, reference)

    def _sees_owner(self, caller: Caller, owner: User | Group) -> bool:
        """Oneself, and the groups that one is in, are known without a permission."""
        if isinstance(owner, User):
            return owner.id == caller.user.id or caller.is_allowed(Operation.READ_USER, owner.id)
        return owner.id in caller.groups or caller.is_allowed(Operation.READ_GROUP)

    def _group_id(self, caller: Caller, reference: str) -> str:
        caller.check(Operation.READ_GROUP)
        group = references.group(self._groups, reference)
        if group is None:
            raise Invalid("query", f"there is no group {reference!r}.")
        return group.id

    def _look_up(self, caller: Caller, reference: str) -> User | None:
        if reference in (MYSELF, caller.user.id):
            return self._accounts.get(caller.user.id)
        return references.account(self._accounts, reference)


def _unless_it_rests(caller: Caller, write: Callable[[bool], None]) -> None:
    """Write, also with a login that somebody else had not long ago, if the caller may give that. Raises LoginRests."""
    try:
        write(False)
    except LoginRests:
        if not caller.is_allowed_after_relogin(Operation.REUSE_LOGIN):
            raise
        caller.check(Operation.REUSE_LOGIN)
        write(True)


def _record(permit: Permit, kind: str, user: User, details: dict[str, str]) -> AuditRecord:
    return permit.record(kind, "user", user.id, owner_id=user.id, details=details)
