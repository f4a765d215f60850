"""Permanent tokens with their events, the read that every request makes, and audit records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chalicelib.core.access.account import User
from chalicelib.core.access.effective import Access
from chalicelib.core.audit.idempotency import StoredResult
from chalicelib.core.audit.records import AuditPage, AuditQuery, AuditRecord, counted
from chalicelib.core.common.errors import Conflict, NameTaken, StaleWrite
from chalicelib.core.common.origin import UsageContext
from chalicelib.core.directory.service import Service
from chalicelib.core.login.authenticators import Authenticators
from chalicelib.core.login.ports import C
from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.secrets.token_format import CredentialKey, CredentialKind
from chalicelib.core.tokens.event import Event, event
from chalicelib.core.tokens.ports import Displaced, ExpirySweep, TokenPage
from chalicelib.core.tokens.token import LastUse, PermanentToken
from chalicelib.core.verification.ports import Credential, VerificationRead
from tests.memory.accounts import MemoryAuthenticators, all_users, check_owner
from tests.memory.database import Change, Database, Key, account, is_current
from tests.memory.directory import EXPIRY_SWEEP

TOKEN = CredentialKind.PERMANENT_TOKEN.value.audit_name


class MemoryTokens:
    """Implements `core.tokens.ports.TokenStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, user_id: str, token_id: str) -> PermanentToken | None:
        token: PermanentToken | None = self._database.get(*account(user_id), TOKEN, token_id)
        return token

    def list(self, user_id: str) -> list[PermanentToken]:
        found: Iterator[PermanentToken] = self._database.below(*account(user_id), TOKEN)
        return sorted(found, key=lambda token: (token.created, token.id))

    def named(self, user_id: str, name: str) -> PermanentToken | None:
        return next((token for token in self.list(user_id) if token.name == name), None)

    def create(
        self,
        token: PermanentToken,
        owner: User,
        required_permissions: Access | None,
        audit: AuditRecord,
        displaced: Displaced | None = None,
    ) -> None:
        with self._database.change(audit) as change:
            check_owner(self._database, change, owner, required_permissions)
            change.create(_token(token), token)
            self._take_name(change, token, displaced)
            change.index(len(token.labels))
            self._add_event(change, token, audit)

    def replace(
        self,
        old: PermanentToken,
        new: PermanentToken,
        owner: User,
        required_permissions: Access | None,
        audit: AuditRecord,
        displaced: Displaced | None = None,
    ) -> None:
        with self._database.change(audit) as change:
            check_owner(self._database, change, owner, required_permissions)
            change.replace(_token(new), new, self._is_current(old))
            if old.name != new.name:
                change.delete(_name(old))
                self._take_name(change, new, displaced)
            change.index(len({*old.labels} ^ {*new.labels}))
            self._add_event(change, new, audit)

    def delete(self, token: PermanentToken, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            self._remove(change, token, audit)
            change.delete(_name(token))

    def _take_name(self, change: Change, token: PermanentToken, displaced: Displaced | None) -> None:
        if displaced is None:
            change.take_name(_name(token), token.id, _name_taken(token))
            return
        change.record(displaced.audit)
        change.replace(_name(token), token.id, self._database.get(*_name(token)) == displaced.token.id)
        self._remove(change, displaced.token, displaced.audit)

    def _remove(self, change: Change, token: PermanentToken, audit: AuditRecord) -> None:
        change.delete(_token(token), self._is_current(token))
        change.index(len(token.labels))
        add_event(change, event(token, audit))

    def update_system_fields(self, old: PermanentToken, new: PermanentToken, audit: AuditRecord, due: int = 0) -> None:
        with self._database.change(audit) as change:
            change.replace(_token(new), new, self._is_current(old))
            self._add_event(change, new, audit, due)

    def put_off(self, token: PermanentToken, due: int) -> None:
        with self._database.change() as change:
            change.check(is_current(self.get(token.user_id, token.id), token))
            change.put(_due(token), due)

    def page(self, label: str | None, after: str | None, top: int, due: int | None = None) -> TokenPage:
        with self._database.lock:
            found = sorted((self._position(token, label), token) for token in self._all() if _has(token, label))
        beyond = [
            (position, token)
            for position, token in found
            if (after is None or position > after) and (due is None or int(position[:15]) <= due)
        ]
        part = beyond[:top]
        due_of = {token.id: int(position[:15]) for position, token in part} if label is None else {}
        last = part[-1][0] if part and len(part) == top else None
        return TokenPage([token for _, token in part], last, due_of)

    def _all(self) -> Iterator[PermanentToken]:
        return (token for user in all_users(self._database) for token in self.list(user.id))

    def _position(self, token: PermanentToken, label: str | None) -> str:
        at = self._database.get(*_due(token)) if label is None else token.created
        return f"{at:015d}#{token.id}"

    def _is_current(self, token: PermanentToken) -> bool:
        stored = self.get(token.user_id, token.id)
        return stored is not None and is_current(stored, token) and stored.settled == token.settled

    def _add_event(self, change: Change, token: PermanentToken, audit: AuditRecord, due: int = 0) -> None:
        """The token has changed: it has to be looked at when `due`, and its event is there."""
        change.put_beside(_due(token), due)
        add_event(change, event(token, audit))


class MemoryCredentials:
    """Implements `core.verification.ports.CredentialStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: CredentialKey | None, service_id: str | None) -> VerificationRead:
        with self._database.lock:
            service = self._database.get("service", service_id) if service_id else None
            if key is None:
                return VerificationRead(service=service)
            credential = self._database.get(*account(key.user_id), key.kind.value.audit_name, key.id)
            owner, authenticators = self._database.get(*account(key.user_id)), None
            if credential and key.kind.value.is_login:
                authenticators = MemoryAuthenticators(self._database).get(key.user_id)
            return VerificationRead(credential, owner, service, authenticators)

    def mark_used(self, credential: Credential, usage: UsageContext, services: Sequence[str] = ()) -> None:
        with self._changing(credential) as (stored, change):
            used = replace(stored, last_used=usage.now)
            if isinstance(used, PermanentToken):
                how = LastUse(usage.address, usage.agent, usage.service_id)
                used = replace(used, last_use=how, used_at=used.used_at | set(services))
            change.put(_item_key(credential), used)

    def settle(self, token: PermanentToken, since: int) -> None:
        with self._changing(token) as (stored, change):
            if stored.revision != token.revision or (stored.settled or 0) >= since:
                raise StaleWrite
            change.put(_item_key(token), replace(stored, settled=since))

    def replace_hash(self, holder: Credential | Service, hashed: HashedSecret) -> None:
        if holder.secret:
            with self._changing(holder) as (stored, change):
                if stored.secret is None or stored.secret.argon2id != holder.secret.argon2id:
                    raise StaleWrite
                change.put(_item_key(holder), replace(stored, secret=hashed))

    @contextmanager
    def _changing(self, holder: Credential | Service) -> Iterator[tuple[Any, Change]]:
        with self._database.change() as change:
            stored = self._database.get(*_item_key(holder))
            if stored is None:
                raise StaleWrite
            yield stored, change


class MemoryAccountCredentials:
    """Implements `core.login.ports.AccountCredentialStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, kind: type[C], user_id: str) -> list[C]:
        found: Iterator[C] = self._database.below(*account(user_id), kind.kind.value.audit_name)
        return sorted(found, key=lambda each: (each.created, each.id))  # type: ignore[attr-defined]

    def get(self, kind: type[C], user_id: str, id: str) -> C | None:
        found: C | None = self._database.get(*account(user_id), kind.kind.value.audit_name, id)
        return found

    def create(self, credential: Any, owner: User, authenticators: Authenticators | None, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            check_owner(self._database, change, owner, None)
            if authenticators:
                key = (*account(owner.id), "authenticators")
                stored = self._database.get(*key)
                changed = replace(stored, revision=stored.revision + 1) if stored else None
                change.update(key, changed, is_current(stored, authenticators))
            change.create(_item_key(credential), credential)
            if name := _name_of(credential):
                taken = f"The account has an {credential.kind.value.title} named {credential.name!r} already."
                change.take_name(name, credential.id, Conflict(taken, "name"))

    def delete(self, credential: Any, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.delete(_item_key(credential), _item_key(credential) in self._database.things)
            if name := _name_of(credential):
                change.delete(name)

    def sweep(self, ended: Iterable[Any]) -> None:
        keys = {key for each in ended for key in (_item_key(each), _name_of(each))}
        self._database.remove(lambda key: key in keys)


class MemoryAudit:
    """Implements `core.audit.ports.AuditStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, record: AuditRecord) -> None:
        with self._database.change(record):
            if any(each.position == record.position for each in self._database.records):
                raise StaleWrite

    def count(self, failure: AuditRecord) -> None:
        with self._database.lock:
            records = self._database.records
            known = next((each for each in records if each.position == failure.position), None)
            times = int(known.details["times"]) + 1 if known else 1
            first = known.address if known else failure.address
            details = {**failure.details, **counted(times, first, failure.address)}
            one_more = replace(failure, address=first, details=details)
            self._database.records[:] = [*(each for each in records if each is not known), one_more]

    def page(self, query: AuditQuery, top: int) -> AuditPage:
        newest_first = sorted(self._database.records, key=lambda record: record.position, reverse=True)
        wanted = [
            record
            for record in newest_first
            if query.lowest <= record.position <= query.highest
            and record.position != query.after
            and query.target_id in (None, record.owner_id or record.target_id)
            and query.matches(record)
        ]
        part = wanted[:top]
        if len(wanted) == len(part):
            return AuditPage(part, None)
        return AuditPage(part, part[-1].position if part else query.highest)


class MemoryIdempotency:
    """Implements `core.audit.ports.IdempotencyStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, user_id: str, key: str) -> StoredResult | None:
        result: StoredResult | None = self._database.get("once", user_id, key)
        return result


class MemoryExpirySweep:
    """Implements `core.tokens.ports.ExpirySweepStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self) -> ExpirySweep:
        return self._database.get(*EXPIRY_SWEEP) or ExpirySweep()

    def record_progress(self, sweep: ExpirySweep) -> None:
        with self._database.change() as change:
            change.replace(EXPIRY_SWEEP, sweep, self.get().wanted == sweep.wanted)


def add_event(change: Change, happened: Event) -> None:
    """It is there with the change that it tells of."""
    change.put(("event", happened.token_id, f"{happened.sequence:012d}"), happened)


def _has(token: PermanentToken, label: str | None) -> bool:
    return label is None or label.casefold() in {each.casefold() for each in token.labels}


def _token(token: PermanentToken) -> Key:
    return (*account(token.user_id), TOKEN, token.id)


def _due(token: PermanentToken) -> Key:
    return (*account(token.user_id), "token's due", token.id)


def _name(token: PermanentToken) -> Key:
    return (*account(token.user_id), "token's name", token.name)


def _name_taken(token: PermanentToken) -> NameTaken:
    return NameTaken(f"The account has a permanent token named {token.name!r} already.", "name")


def _name_of(credential: Any) -> Key | None:
    if credential.kind is not CredentialKind.APPLICATION_PASSWORD:
        return None
    kind = credential.kind.value.audit_name
    return (*account(credential.user_id), f"{kind}'s name", str(credential.epoch), credential.name)


def _item_key(holder: Credential | Service) -> Key:
    if isinstance(holder, Service):
        return ("service", holder.id)
    return (*account(holder.user_id), holder.kind.value.audit_name, holder.id)
