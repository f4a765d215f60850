"""Accounts, what they hold, and what they log in with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from chalicelib.core.access.account import LOGIN_REST_MS, AccountType, User
from chalicelib.core.access.effective import Access, DirectGrants
from chalicelib.core.access.role import Grant
from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, LoginRests
from chalicelib.core.common.paging import Page, Window
from chalicelib.core.common.rate_limits import Budget
from chalicelib.core.common.search import Search, select
from chalicelib.core.directory.ports import Leftover
from chalicelib.core.login.authenticators import Authenticators, UsedChallenge
from chalicelib.core.login.session import Session
from chalicelib.storage.items import BY_NAME, entries_of
from tests.memory.database import Change, Database, account, in_any_order, is_current

ADMINISTRATORS = ("administrators",)
LAST_ADMINISTRATOR = "This is the last administrator who can log in. Create another one first."


class MemoryAccounts:
    """Implements `core.access.ports.AccountStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str) -> User | None:
        user: User | None = self._database.get(*account(user_id))
        return user

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, User]:
        return {id: user for id in in_any_order(user_ids) if (user := self.get(id))}

    def find_by_login(self, login: str) -> User | None:
        id = self._database.get(*_login(login))
        return self.get(id) if id else None

    def page(self, window: Window, search: Search, group_id: str | None, owner_id: str | None) -> Page[User]:
        wanted = [
            user
            for user in sorted(all_users(self._database), key=lambda user: validation.login_key(user.login))
            if _has(user, search.traits)
            and (group_id is None or self._database.get(*_member(user.id, group_id)))
            and (owner_id is None or (user.owner and user.owner.id == owner_id))
        ]
        if set(search.terms) == {"name"} and not (search.text or search.traits or group_id or owner_id):
            wanted.sort(key=lambda user: user.name.casefold())
        found = select(wanted, search, ("login", "name"))
        return Page(found[window.skip : window.skip + window.top], len(found))

    def last_used(self, user_id: str) -> int | None:
        used = (getattr(each, "last_used", None) for each in self._database.below(*account(user_id)))
        return max((moment for moment in used if moment is not None), default=None)

    def create(self, user: User, grants: Iterable[Grant], audit: AuditRecord, reuse: bool = False) -> None:
        with self._database.change(audit) as change:
            change.create(account(user.id), user)
            _take_login(change, user, audit.at, reuse)
            for grant in grants:
                change.create(_grant(grant), grant)
                if grant.makes_administrator and not user.banned:
                    count_administrators(change, +1)
            change.index(1 + _entered({}, entries_of(user)))

    def replace(
        self,
        old: User,
        new: User,
        administrator: bool,
        audit: AuditRecord,
        reuse: bool = False,
        required_permissions: Access | None = None,
    ) -> None:
        with self._database.change(audit) as change:
            check_access(self._database, change, required_permissions)
            change.replace(account(new.id), new, is_current(self.get(old.id), old))
            if validation.login_key(old.login) != validation.login_key(new.login):
                _free_login(change, old, audit.at)
                _take_login(change, new, audit.at, reuse)
                change.index(len(list(self._database.below(*account(new.id), "member"))))
            change.index(_entered(entries_of(old), entries_of(new)))
            if administrator and old.banned != new.banned:
                count_administrators(change, -1 if new.banned else +1, "banned")

    def delete(self, user: User, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.delete(account(user.id), is_current(self.get(user.id), user))
            _free_login(change, user, audit.at)
            change.put(sweep_of(Leftover("USER", user.id)), audit.at)
            change.index(1)
            grants: Iterator[Grant] = self._database.below(*account(user.id), "grant")
            if not user.banned and any(grant.makes_administrator for grant in grants):
                count_administrators(change, -1)
        MemorySweeps(self._database).sweep(Leftover("USER", user.id))


class MemorySweeps:
    """Implements `core.directory.ports.SweepStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, before: int, top: int) -> list[Leftover]:
        marks = [(at, key) for key, at in list(self._database.things.items()) if key[0] == "sweep" and at <= before]
        return [Leftover(*key[1:]) for _, key in sorted(marks)[:top]]

    def sweep(self, leftover: Leftover) -> bool:
        if self._database.get("account" if leftover.kind == "USER" else "group", leftover.id):
            return True
        if leftover.kind == "USER":
            self._database.remove(lambda key: key[:2] == account(leftover.id))
        else:
            self._database.remove(lambda key: key[2:] == ("member", leftover.id))
        return True

    def done(self, leftover: Leftover) -> None:
        self._database.remove(lambda key: key == sweep_of(leftover))


class MemoryAccess:
    """Implements `core.access.ports.AccessStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def direct_grants(self, user_id: str) -> DirectGrants:
        grants: Iterator[Grant] = self._database.below(*account(user_id), "grant")
        memberships: Iterator[str] = self._database.below(*account(user_id), "member")
        return DirectGrants(tuple(sorted(grants, key=lambda grant: grant.key)), tuple(sorted(memberships)))


class MemoryAuthenticators:
    """Implements `core.login.ports.AuthenticatorStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str) -> Authenticators:
        return self._database.get(*authenticators(user_id)) or Authenticators(user_id)

    def find_by_login(self, login: str) -> tuple[User | None, Authenticators]:
        id = self._database.get(*_login(login)) or "nobody"
        return self._database.get(*account(id)), self.get(id)

    def replace(
        self,
        owner: User,
        old: Authenticators,
        new: Authenticators,
        required_permissions: Access | None,
        ends_passwords: bool,
        audit: AuditRecord,
        challenge: UsedChallenge | None = None,
        kept: str | None = None,
    ) -> None:
        with self._database.change(audit) as change:
            if ends_passwords:
                later = replace(owner, password_epoch=owner.password_epoch + 1, revision=owner.revision + 1)
                change.update(account(owner.id), later, is_current(self._database.get(*account(owner.id)), owner))
                check_access(self._database, change, required_permissions)
            else:
                check_owner(self._database, change, owner, required_permissions)
            self._put(change, old, new, challenge)
            if kept:
                key = _session(owner.id, kept)
                session: Session | None = self._database.get(*key)
                going_on = replace(session, epoch=new.session_epoch, second_factor=True) if session else None
                change.update(key, going_on, session is not None and session.epoch == old.session_epoch)

    def open_session(
        self,
        session: Session,
        owner: User,
        old: Authenticators,
        new: Authenticators,
        challenge: UsedChallenge | None,
        audit: AuditRecord,
    ) -> None:
        with self._database.change(audit) as change:
            check_owner(self._database, change, owner, None)
            self._put(change, old, new, challenge)
            change.create(_session(session.user_id, session.id), session)

    def count_wrong_code(self, old: Authenticators, new: Authenticators, audit: AuditRecord | None) -> None:
        with self._database.change(audit) as change:
            stored = self.get(old.user_id)
            counted = replace(stored, wrong_codes=new.wrong_codes, revision=new.revision)
            change.update(authenticators(old.user_id), counted, stored.revision == old.revision > 0)

    def _put(self, change: Change, old: Authenticators, new: Authenticators, challenge: UsedChallenge | None) -> None:
        change.replace(authenticators(new.user_id), new, self.get(new.user_id).revision == old.revision)
        if challenge:
            used = Conflict("This answer of a passkey was used already. Start again.")
            change.create(("challenge", challenge.id), challenge, used)


class MemoryLoginAttempts:
    """Implements `core.login.ports.LoginAttemptStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_known(self, login_key: str, network: str, now: int) -> bool:
        until: int = self._database.get("known network", login_key, network) or 0
        return until > now

    def remember(self, login_key: str, network: str, expires: int) -> None:
        with self._database.change() as change:
            change.put(("known network", login_key, network), expires)

    def add(self, budget: Budget, change: int, now: int) -> int:
        key = ("attempts", budget.subject, str(budget.window(now)))
        with self._database.change() as writing:
            attempts: int = (self._database.get(*key) or 0) + change
            writing.put(key, attempts)
        return attempts


def all_users(database: Database) -> list[User]:
    """Every account, in no order."""
    return [thing for key, thing in list(database.things.items()) if key[0] == "account" and len(key) == 2]


def authenticators(user_id: str) -> tuple[str, ...]:
    return (*account(user_id), "authenticators")


def sweep_of(leftover: Leftover) -> tuple[str, ...]:
    """Where it is marked that something may be left."""
    return ("sweep", leftover.kind, leftover.id)


def check_access(database: Database, change: Change, access: Access | None, without: Iterable[str | None] = ()) -> None:
    """Every group and role that the access rests on is as it was; groups in `without` are not looked at."""
    if access:
        for group in access.groups.values():
            if group.id not in without:
                change.check(is_current(database.get("group", group.id), group))
        for role in access.roles.values():
            change.check(is_current(database.get("role", role.id), role))


def check_owner(database: Database, change: Change, owner: User, required_permissions: Access | None) -> None:
    """The owner, and what was compared, is as it was."""
    change.check(is_current(database.get(*account(owner.id)), owner))
    check_access(database, change, required_permissions)


def count_administrators(change: Change, difference: int, field: str | None = None) -> None:
    """There are so many more; one must be left. They are counted, and nobody looks who they are, as on DynamoDB."""
    counted = change.database.get(*ADMINISTRATORS) or 0
    if difference < 0:
        change.last_of_all(counted > -difference, Conflict(LAST_ADMINISTRATOR, field))
    change.put(ADMINISTRATORS, counted + difference)


def _has(user: User, traits: frozenset[str]) -> bool:
    is_bot = user.type is AccountType.BOT
    is_so = {"bot": is_bot, "banned": user.banned, "ownerless": is_bot and user.owner is None}
    return all(is_so[trait] for trait in traits)


def _entered(old: Mapping[str, str], new: Mapping[str, str]) -> int:
    """The steps that changing these entries takes."""
    moved = sum(old.get(collection) != position for collection, position in new.items())
    return 2 * len(old.keys() - new.keys()) + moved + len(new.keys() - old.keys() - {BY_NAME})


def _take_login(change: Change, user: User, now: int, reuse: bool) -> None:
    change.take_name(_login(user.login), user.id, _login_taken(user))
    holder, rests_until = change.database.get("former", *_login(user.login)) or (user.id, 0)
    if not reuse:
        change.check(holder == user.id or rests_until <= now, _login_rests(user))


def _free_login(change: Change, user: User, now: int) -> None:
    change.delete(_login(user.login))
    change.put(("former", *_login(user.login)), (user.id, now + LOGIN_REST_MS))


def _login_rests(user: User) -> LoginRests:
    return LoginRests(
        f"The login {user.login!r} belonged to another account less than 30 days ago. "
        "Until that time has passed, only a System Admin can reuse it.",
        "login",
    )


def _login(login: str) -> tuple[str, ...]:
    return ("login", validation.login_key(login))


def _login_taken(user: User) -> Conflict:
    return Conflict(f"The login {user.login!r} is taken.", "login")


def _grant(grant: Grant) -> tuple[str, ...]:
    return (*account(grant.holder_id), "grant", grant.key)


def _member(user_id: str, group_id: str) -> tuple[str, ...]:
    return (*account(user_id), "member", group_id)


def _session(user_id: str, session_id: str) -> tuple[str, ...]:
    return (*account(user_id), "session", session_id)
