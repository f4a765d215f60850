"""What the core needs from storage. `chalicelib/storage` provides it on DynamoDB.

Every method that writes takes the audit record of the change and writes both in one transaction, or
neither; it raises AlreadyDone if the record carries a client's key that was used before. All reads are
strongly consistent except the pages of whole collections.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from chalicelib.core.access import Access
    from chalicelib.core.accounts import User
    from chalicelib.core.application_passwords import ApplicationPassword
    from chalicelib.core.audit import AuditPage, AuditQuery, AuditRecord
    from chalicelib.core.authenticators import Authenticators
    from chalicelib.core.credentials.sealing import SealedSecret
    from chalicelib.core.credentials.wire_format import CredentialKey
    from chalicelib.core.groups import Group
    from chalicelib.core.once import Done
    from chalicelib.core.origin import Use
    from chalicelib.core.paging import Page, Window
    from chalicelib.core.permanent_tokens import PermanentToken
    from chalicelib.core.roles import Grant, Role
    from chalicelib.core.search import Search
    from chalicelib.core.services import Service
    from chalicelib.core.sessions import Session


Credential: TypeAlias = "PermanentToken | ApplicationPassword | Session"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one round trip finds: credential, its owner, and the service that asks; each may be missing.

    `authenticators` only with a session, which they may have ended.
    """

    credential: Credential | None = None
    owner: User | None = None
    service: Service | None = None
    authenticators: Authenticators | None = None


class CredentialStore(Protocol):
    """The path that every request takes: one round trip, strongly consistent."""

    def find(self, key: CredentialKey | None, service_id: str | None) -> Credentials:
        """Credential and owner by key, service by id; None asks for nothing."""

    def mark_used(self, credential: Credential, use: Use, services: Sequence[str] = ()) -> None:
        """Store when it was used and, of a permanent token, how and at which services. Raises StaleWrite if it is
        gone."""

    def settle(self, token: PermanentToken, since: int) -> None:
        """Store that the secret which was made at `since` was used. Raises StaleWrite if that is stored of it or of a
        later one, or if the token has changed since it was read."""

    def reseal(self, holder: Credential | Service, sealed: SealedSecret) -> None:
        """Store the holder's secret, sealed anew. Raises StaleWrite if the secret has changed since it was read."""


class AccountStore(Protocol):
    """Users and bots."""

    def get(self, user_id: str) -> User | None: ...

    def get_many(self, user_ids: Iterable[str]) -> Mapping[str, User]: ...

    def find_by_login(self, login: str) -> User | None: ...

    def page(self, window: Window, search: Search, group_id: str | None, owner_id: str | None) -> Page[User]:
        """Those that `search` finds by login, name and traits, in the group, and with the owner, if given.
        By login, or by name where that is all that it asks for, unless it says otherwise.
        Eventually consistent. A bounded number of reads: raises Invalid if that does not suffice."""

    def last_used(self, user_id: str) -> int | None:
        """When one of the credentials that the account has was used last; one query of its partition."""

    def create(self, user: User, grants: Iterable[Grant], audit: AuditRecord, reuse: bool = False) -> None:
        """Raises Conflict if the login is taken, or was somebody else's in the last LOGIN_REST_MS (unless `reuse`)."""

    def replace(
        self,
        old: User,
        new: User,
        administrator: bool,
        audit: AuditRecord,
        reuse: bool = False,
        compared: Access | None = None,
    ) -> None:
        """Raises StaleWrite if `old`, or a group or role of what was `compared`, is no longer stored as it is; Conflict
        as `create` for the new login or if this would leave no administrator. `administrator`: the user holds that
        role everywhere."""

    def delete(self, user: User, audit: AuditRecord) -> None:
        """The account; with it everything that hangs on it is dead, and a piece of that is swept. Raises StaleWrite, or
        Conflict for the last administrator."""


@dataclass(frozen=True, slots=True)
class Leftover:
    """What hung on an account (`kind` USER) or a group (GROUP) that is gone, and is as dead as that."""

    kind: str
    id: str


class SweepStore(Protocol):
    """What deleted accounts and groups have left."""

    def waiting(self, before: int, top: int) -> Sequence[Leftover]:
        """Those that went at this time (milliseconds since the epoch) or before and are not `done`, oldest first.
        Eventually consistent."""

    def sweep(self, leftover: Leftover) -> bool:
        """Removes a bounded piece; whether that was all. Of an account or group that is there, it removes nothing. May
        be repeated, and at the same time."""

    def done(self, leftover: Leftover) -> None:
        """Nothing is left."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """A token that goes for another one that takes its name, and the record of that."""

    token: PermanentToken
    audit: AuditRecord


class TokenStore(Protocol):
    """Permanent tokens."""

    def get(self, user_id: str, token_id: str) -> PermanentToken | None: ...

    def named(self, user_id: str, name: str) -> PermanentToken | None:
        """The user's token of this name."""

    def list(self, user_id: str) -> list[PermanentToken]:
        """All tokens of a user, oldest first."""

    def create(
        self,
        token: PermanentToken,
        owner: User,
        compared: Access | None,
        audit: AuditRecord,
        displaced: Displaced | None = None,
    ) -> None:
        """Raises StaleWrite if `owner` (whom a grant or membership changes too), a group or role of the access that was
        `compared`, or the token that is `displaced`, is no longer stored as it is; NameTaken if the owner has another
        token of this name."""

    def replace(
        self,
        old: PermanentToken,
        new: PermanentToken,
        owner: User,
        compared: Access | None,
        audit: AuditRecord,
        displaced: Displaced | None = None,
    ) -> None:
        """Raises StaleWrite as `create`, or if `old` is no longer stored; NameTaken if the owner has another token of
        the new name."""

    def delete(self, token: PermanentToken, audit: AuditRecord) -> None:
        """Raises StaleWrite if `token` is no longer stored as it is."""

    def note(self, old: PermanentToken, new: PermanentToken, audit: AuditRecord, due: int = 0) -> None:
        """Keyturn itself learns something of the token, whoever owns it; it has to be looked at again when `due`.
        Raises StaleWrite if `old` is no longer stored."""

    def put_off(self, token: PermanentToken, due: int) -> None:
        """It need not be looked at before `due`, in milliseconds since the epoch. Raises StaleWrite if `token` is no
        longer stored as it is."""

    def page(self, label: str | None, after: str | None, top: int, due: int | None = None) -> TokenPage:
        """A part of all accounts' tokens: with this label, or by when they have to be looked at, `due` or before.
        `after` is the place of the page before. Eventually consistent, but for the tokens themselves."""


@dataclass(frozen=True, slots=True)
class TokenPage:
    """Tokens of several accounts, and where to go on: None at the end. `due`: when each has to be looked at, by id,
    as the index has it; of those with a label, nothing."""

    tokens: Sequence[PermanentToken]
    after: str | None
    due: Mapping[str, int] = field(default_factory=dict)


class ServiceStore(Protocol):
    """Connected services."""

    def get(self, service_id: str) -> Service | None: ...

    def get_many(self, service_ids: Iterable[str]) -> Mapping[str, Service]: ...

    def find_by_key(self, key: str) -> Service | None: ...

    def page(self, window: Window, search: Search) -> Page[Service]:
        """Sorted by key unless `search` says otherwise. Eventually consistent. Raises Invalid."""

    def create(self, service: Service, audit: AuditRecord) -> None:
        """Raises Conflict if the key is taken."""

    def replace(self, old: Service, new: Service, audit: AuditRecord) -> None:
        """With its event, if it has one (`core.events.service_event`). Raises StaleWrite if `old` is no longer stored,
        Conflict if the new key is taken."""

    def delete(self, service: Service, audit: AuditRecord) -> None:
        """Raises StaleWrite if `service` is no longer stored as it is."""


class AuditStore(Protocol):
    """Audit records, to be read."""

    def append(self, record: AuditRecord) -> None:
        """A record of something that changes nothing. Raises StaleWrite if it is there already."""

    def count(self, failure: AuditRecord) -> None:
        """One more of the attempts that a record of `core.audit.failure` stands for: the first makes it, and names
        where it came from; its details are the last one's, and those of `core.audit.counted`. Atomic. It is kept for
        400 days."""

    def page(self, query: AuditQuery, top: int) -> AuditPage:
        """At most `top` records. Eventually consistent by actor and by target."""


class OnceStore(Protocol):
    """What requests with a client's key have made."""

    def find(self, user_id: str, key: str) -> Done | None: ...


@dataclass(frozen=True, slots=True)
class Held:
    """What an account holds by itself: its own grants, and the ids of the groups that it is directly in."""

    grants: tuple[Grant, ...] = ()
    groups: tuple[str, ...] = ()


class AccessStore(Protocol):
    """What accounts hold."""

    def held_by(self, user_id: str) -> Held:
        """One query. Whatever changes it makes another revision of the account in the same moment."""


class GroupStore(Protocol):
    """Groups and their members."""

    def get(self, group_id: str) -> Group | None: ...

    def get_many(self, group_ids: Iterable[str]) -> Mapping[str, Group]: ...

    def find_by_name(self, name: str) -> Group | None: ...

    def page(self, window: Window, search: Search) -> Page[Group]:
        """Sorted by name unless `search` says otherwise. Eventually consistent. Raises Invalid."""

    def create(self, group: Group, outer: Access | None, audit: AuditRecord) -> None:
        """Raises Conflict if the name is taken, StaleWrite if a group or role of `outer`, what the
        parent gives, is no longer stored as it is. It is granted nothing yet."""

    def replace(self, old: Group, new: Group, compared: Access | None, audit: AuditRecord) -> None:
        """`compared`: what members get from a new parent, or else what the rules looked at. Raises as `create`, and
        StaleWrite if `old`, or a group or role of `compared`, is no longer stored as it is."""

    def delete(self, group: Group, audit: AuditRecord) -> None:
        """The group; with it what its members have of it is gone, and a piece of that is swept. Raises StaleWrite if
        `group` is no longer stored as it is, or has subgroups."""

    def add_member(self, group: Group, user: User, given: Access, audit: AuditRecord) -> None:
        """Counts as a change of `user`. Raises StaleWrite if `user`, or a group or role of what is
        `given`, is no longer stored as it is; Conflict if `user` is in the group."""

    def remove_member(self, group: Group, user: User, audit: AuditRecord) -> None:
        """Counts as a change of `user`. Raises StaleWrite if `user` is no longer stored as it is."""


class RoleStore(Protocol):
    """Roles, and the grants that give them to users."""

    def get(self, role_id: str) -> Role | None: ...

    def get_many(self, role_ids: Iterable[str]) -> Mapping[str, Role]: ...

    def find_by_key(self, key: str) -> Role | None: ...

    def page(self, window: Window, search: Search) -> Page[Role]:
        """Sorted by key unless `search` says otherwise. Eventually consistent. Raises Invalid."""

    def create(self, role: Role, audit: AuditRecord) -> None:
        """Raises Conflict if the key is taken."""

    def replace(self, old: Role, new: Role, audit: AuditRecord) -> None:
        """Raises StaleWrite if `old` is no longer stored, Conflict if the new key is taken."""

    def delete(self, role: Role, audit: AuditRecord) -> None:
        """Raises StaleWrite if `role` is no longer stored as it is. Its grants add nothing from then on."""

    def grants(self, window: Window, role_id: str | None) -> Page[Grant]:
        """Those of all accounts and groups, or those of one role, by role; at most 10,000 are counted.
        Eventually consistent."""

    def grant(self, owner: User, grant: Grant, role: Role, audit: AuditRecord) -> None:
        """Counts as a change of `owner`. Raises StaleWrite if `owner` or `role` is no longer stored as it
        is, Conflict if granted already."""

    def revoke(self, owner: User, grant: Grant, audit: AuditRecord) -> None:
        """Counts as a change of `owner`. Raises StaleWrite, or Conflict for the last administrator."""
