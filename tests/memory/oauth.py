"""What OAuth 2.0 keeps: codes, delegations, approvals, devices, trust rules, revoked access tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chalicelib.core.access.account import User
from chalicelib.core.access.effective import Access
from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.oauth.access_tokens import AccessToken, SourceKind, SubjectState
from chalicelib.core.oauth.delegations import ApprovedScope, AuthorizationCode, Delegation, DeviceAuthorization
from chalicelib.core.oauth.ports import Approving, CodeFound, DelegationFound
from chalicelib.core.oauth.trust_rules import TrustRule
from tests.memory.accounts import check_owner
from tests.memory.database import Change, Database, Key, account, is_current


class MemoryCodes:
    """Implements `core.oauth.ports.CodeStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, user_id: str, code_id: str, client_id: str) -> CodeFound:
        with self._database.lock:
            code = self._database.get(*account(user_id), "code", code_id)
            return CodeFound(
                code, self._database.get(*account(user_id)), self._database.get(*_approval(user_id, client_id))
            )

    def create(self, code: AuthorizationCode, owner: User, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            check_owner(self._database, change, owner, None)
            change.create((*account(code.user_id), "code", code.id), code)

    def redeem(
        self, code: AuthorizationCode, delegation: Delegation, evicted: Sequence[Delegation], audit: AuditRecord
    ) -> None:
        key = (*account(code.user_id), "code", code.id)
        with self._database.change(audit) as change:
            stored = self._database.get(*key)
            used = replace(stored, used=True) if stored else None
            change.update(key, used, stored is not None and not stored.used)
            begin(self._database, change, delegation, evicted)


class MemoryDelegations:
    """Implements `core.oauth.ports.DelegationStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, user_id: str, client_id: str | None = None) -> list[Delegation]:
        beginning = (*account(user_id), "delegation", *([client_id] if client_id else []))
        found: Iterator[Delegation] = self._database.below(*beginning)
        return sorted(found, key=lambda delegation: (delegation.created, delegation.id))

    def find(self, user_id: str, delegation_id: str, client_id: str) -> DelegationFound:
        with self._database.lock:
            delegation = self._database.get(*account(user_id), "delegation", client_id, delegation_id)
            approval = self._database.get(*_approval(user_id, client_id))
            return DelegationFound(delegation, self._database.get(*account(user_id)), approval)

    def replace(self, old: Delegation, new: Delegation, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.replace(_delegation(new), new, is_current(self._database.get(*_delegation(old)), old))

    def delete(self, delegation: Delegation, audit: AuditRecord) -> None:
        key = _delegation(delegation)
        with self._database.change(audit) as change:
            change.delete(key, key in self._database.things)

    def sweep(self, approval: ApprovedScope) -> None:
        hanging = self.list(approval.user_id, approval.client_id)
        keys = {_delegation(each) for each in hanging if each.approval_id == approval.id}
        self._database.remove(lambda key: key in keys)


class MemoryApprovedScopes:
    """Implements `core.oauth.ports.ApprovedScopeStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, user_id: str) -> list[ApprovedScope]:
        found: Iterator[ApprovedScope] = self._database.below(*account(user_id), "approved scope")
        return sorted(found, key=lambda approval: (approval.created, approval.id))

    def get(self, user_id: str, client_id: str) -> ApprovedScope | None:
        approval: ApprovedScope | None = self._database.get(*_approval(user_id, client_id))
        return approval

    def approve(self, old: ApprovedScope | None, new: ApprovedScope, owner: User, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            approve(self._database, change, Approving(old, new, owner, audit))

    def delete(self, approval: ApprovedScope, audit: AuditRecord) -> None:
        key = _approval(approval.user_id, approval.client_id)
        with self._database.change(audit) as change:
            change.delete(key, is_current(self._database.get(*key), approval))


class MemoryDevices:
    """Implements `core.oauth.ports.DeviceStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, device_id: str) -> DeviceAuthorization | None:
        device: DeviceAuthorization | None = self._database.get("device", device_id)
        return device

    def find_by_user_code(self, user_code: str) -> DeviceAuthorization | None:
        id = self._database.get("user code", user_code)
        return self.get(id) if id else None

    def create(self, device: DeviceAuthorization) -> None:
        with self._database.change() as change:
            change.create(("device", device.id), device)
            change.take_name(("user code", device.user_code), device.id)

    def poll(self, old: DeviceAuthorization, new: DeviceAuthorization) -> None:
        with self._database.change() as change:
            change.replace(("device", new.id), new, is_current(self.get(old.id), old))

    def decide(
        self, old: DeviceAuthorization, new: DeviceAuthorization, approving: Approving | None, audit: AuditRecord
    ) -> None:
        with self._database.change(audit) as change:
            if approving:
                change.record(replace(approving.audit, idempotency_key=None))
                approve(self._database, change, approving)
            change.replace(("device", new.id), new, is_current(self.get(old.id), old))

    def redeem(
        self, device: DeviceAuthorization, delegation: Delegation, evicted: Sequence[Delegation], audit: AuditRecord
    ) -> None:
        with self._database.change(audit) as change:
            change.delete(("device", device.id), is_current(self.get(device.id), device))
            change.delete(("user code", device.user_code))
            begin(self._database, change, delegation, evicted)


class MemoryTrustRules:
    """Implements `core.oauth.ports.TrustRuleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, user_id: str) -> list[TrustRule]:
        found: Iterator[TrustRule] = self._database.below(*account(user_id), "trust rule")
        return sorted(found, key=lambda rule: (rule.created, rule.id))

    def create(self, rule: TrustRule, owner: User, required_permissions: Access | None, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            check_owner(self._database, change, owner, required_permissions)
            change.create(_rule(rule), rule)
            _take_rule_name(change, rule)

    def replace(
        self, old: TrustRule, new: TrustRule, owner: User, required_permissions: Access | None, audit: AuditRecord
    ) -> None:
        with self._database.change(audit) as change:
            check_owner(self._database, change, owner, required_permissions)
            change.replace(_rule(new), new, is_current(self._database.get(*_rule(old)), old))
            if old.name != new.name:
                change.delete(_rule_name(old))
                _take_rule_name(change, new)

    def delete(self, rule: TrustRule, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.delete(_rule(rule), is_current(self._database.get(*_rule(rule)), rule))
            change.delete(_rule_name(rule))

    def mark_used(self, rule: TrustRule, now: int) -> None:
        with self._database.change() as change:
            stored = self._database.get(*_rule(rule))
            if stored is None:
                raise StaleWrite
            change.put(_rule(rule), replace(stored, last_used=now))


class MemoryAccessTokens:
    """Implements `core.oauth.ports.AccessTokenStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def subject_state(self, token: AccessToken, asking_id: str | None) -> SubjectState:
        source, subject, get = token.source, account(token.subject_id), self._database.get
        wanted = (source.client_id, token.client_id if token.actors else None, asking_id)
        services = {id for id in wanted if id} | ({source.id} if source.kind is SourceKind.SERVICE else set())
        with self._database.lock:
            state = SubjectState(
                revoked=any(get(*subject, "revoked", id) is not None for id in (token.id, *token.exchanged_from)),
                subject=None if source.kind is SourceKind.SERVICE else get(*subject),
                services={id: service for id in services if (service := get("service", id))},
            )
            match source.kind:
                case SourceKind.PERMANENT_TOKEN:
                    return replace(state, permanent_token=get(*subject, "permanent-token", source.id))
                case SourceKind.TRUST_RULE:
                    return replace(state, trust_rule=get(*subject, "trust rule", source.id))
                case SourceKind.DELEGATION:
                    client_id = source.client_id or ""
                    delegation = get(*subject, "delegation", client_id, source.id)
                    approval = get(*_approval(token.subject_id, client_id))
                    return replace(state, delegation=delegation, approval=approval)
                case SourceKind.SERVICE:
                    return state

    def revoke(self, token: AccessToken, audit: AuditRecord) -> None:
        with self._database.change(audit) as change:
            change.create((*account(token.subject_id), "revoked", token.id), token.expires)


def approve(database: Database, change: Change, approving: Approving) -> None:
    """This is approved by this change, which has the record."""
    check_owner(database, change, approving.owner, None)
    old, new = approving.old, approving.new
    key = _approval(new.user_id, new.client_id)
    if old:
        change.replace(key, new, is_current(database.get(*key), old))
    else:
        change.create(key, new)


def begin(database: Database, change: Change, delegation: Delegation, evicted: Sequence[Delegation]) -> None:
    """The delegation is stored, and those that make room for it go."""
    change.create(_delegation(delegation), delegation)
    for each in evicted:
        change.delete(_delegation(each), _delegation(each) in database.things)


def _approval(user_id: str, client_id: str) -> Key:
    return (*account(user_id), "approved scope", client_id)


def _delegation(delegation: Delegation) -> Key:
    return (*account(delegation.user_id), "delegation", delegation.client_id, delegation.id)


def _rule(rule: TrustRule) -> Key:
    return (*account(rule.user_id), "trust rule", rule.id)


def _take_rule_name(change: Change, rule: TrustRule) -> None:
    taken = Conflict(f"The account has a trust rule named {rule.name!r} already.", "name")
    change.take_name(_rule_name(rule), rule.id, taken)


def _rule_name(rule: TrustRule) -> Key:
    return (*account(rule.user_id), "trust rule's name", rule.name)
