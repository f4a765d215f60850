"""What OAuth 2.0 needs from storage and from outside. The rules of `core.stores` hold here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.oauth.access_tokens import AccessToken, SubjectState
    from chalicelib.core.oauth.delegations import ApprovedScope, AuthorizationCode, Delegation, DeviceAuthorization
    from chalicelib.core.oauth.signing_keys import SigningKey
    from chalicelib.core.oauth.trust_rules import TrustRule


@dataclass(frozen=True, slots=True)
class CodeFound:
    """A code, whose it is, and the approved scope of its service at the moment; each may be missing."""

    code: AuthorizationCode | None = None
    owner: User | None = None
    approval: ApprovedScope | None = None


@dataclass(frozen=True, slots=True)
class DelegationFound:
    """A delegation, whose it is, and the approved scope of its service at the moment; each may be missing."""

    delegation: Delegation | None = None
    owner: User | None = None
    approval: ApprovedScope | None = None


@dataclass(frozen=True, slots=True)
class Approving:
    """That `owner` approves `new`, in place of `old` if there was something, with the record of it."""

    old: ApprovedScope | None
    new: ApprovedScope
    owner: User
    audit: AuditRecord


class CodeStore(Protocol):
    """Authorization codes."""

    def find(self, user_id: str, code_id: str, client_id: str) -> CodeFound:
        """One round trip."""

    def create(self, code: AuthorizationCode, owner: User, audit: AuditRecord) -> None:
        """Raises StaleWrite if `owner` is no longer stored as it is."""

    def redeem(
        self, code: AuthorizationCode, delegation: Delegation, evicted: Sequence[Delegation], audit: AuditRecord
    ) -> None:
        """The code is used, and this is what it bought. Raises StaleWrite if it was used, or one of those that
        make room is gone."""


class DelegationStore(Protocol):
    """Delegations."""

    def list(self, user_id: str, client_id: str | None = None) -> list[Delegation]:
        """All of a user, or those to one service, oldest first; some may have ended."""

    def find(self, user_id: str, delegation_id: str, client_id: str) -> DelegationFound:
        """One round trip."""

    def replace(self, old: Delegation, new: Delegation, audit: AuditRecord) -> None:
        """Raises StaleWrite if `old` is no longer stored."""

    def delete(self, delegation: Delegation, audit: AuditRecord) -> None:
        """Raises StaleWrite if it is gone."""

    def sweep(self, approval: ApprovedScope) -> None:
        """Removes those that hang on this approval, which is gone. May be repeated; what is left is removed some time
        after its own end."""


class ApprovedScopeStore(Protocol):
    """Approved scopes."""

    def list(self, user_id: str) -> list[ApprovedScope]:
        """All of a user, oldest first; some may have ended."""

    def get(self, user_id: str, client_id: str) -> ApprovedScope | None: ...

    def approve(self, old: ApprovedScope | None, new: ApprovedScope, owner: User, audit: AuditRecord) -> None:
        """Raises StaleWrite if `old`, or `owner`, is no longer stored as it is."""

    def delete(self, approval: ApprovedScope, audit: AuditRecord) -> None:
        """The delegations that hang on it end with it (`Delegation.allowed`), and are still stored. Raises StaleWrite
        if `approval` is no longer stored as it is."""


class DeviceStore(Protocol):
    """Devices that wait for their users."""

    def get(self, device_id: str) -> DeviceAuthorization | None: ...

    def find_by_user_code(self, user_code: str) -> DeviceAuthorization | None: ...

    def create(self, device: DeviceAuthorization) -> None:
        """It is gone some time after its end, and leaves no record. Raises StaleWrite if the user code is taken."""

    def poll(self, old: DeviceAuthorization, new: DeviceAuthorization) -> None:
        """Remember when it asked. Raises StaleWrite if `old` is no longer stored."""

    def decide(
        self, old: DeviceAuthorization, new: DeviceAuthorization, approving: Approving | None, audit: AuditRecord
    ) -> None:
        """The user's word, and what is approved with it: both or nothing. Raises StaleWrite if `old`, or the old
        approval or its owner, is no longer stored as it is."""

    def redeem(
        self, device: DeviceAuthorization, delegation: Delegation, evicted: Sequence[Delegation], audit: AuditRecord
    ) -> None:
        """The device waits no longer. Raises StaleWrite if `device` is no longer stored as it is."""


class TrustRuleStore(Protocol):
    """Trust rules."""

    def list(self, user_id: str) -> list[TrustRule]:
        """All of an account, oldest first."""

    def create(self, rule: TrustRule, owner: User, required_permissions: Access | None, audit: AuditRecord) -> None:
        """Raises StaleWrite if `owner`, or what was `required_permissions`, has changed; Conflict if the name is
        taken."""

    def replace(
        self, old: TrustRule, new: TrustRule, owner: User, required_permissions: Access | None, audit: AuditRecord
    ) -> None:
        """Raises StaleWrite if `old`, `owner`, or what was `required_permissions`, has changed; Conflict if the name is
        taken."""

    def delete(self, rule: TrustRule, audit: AuditRecord) -> None:
        """Raises StaleWrite if it is gone, or has changed."""

    def mark_used(self, rule: TrustRule, now: int) -> None:
        """Store when it was used. Raises StaleWrite if it is gone."""


class AccessTokenStore(Protocol):
    """What access tokens depend on, and which of them were revoked."""

    def subject_state(self, token: AccessToken, asking_id: str | None) -> SubjectState:
        """One round trip, strongly consistent. `asking_id`: also the service that asks."""

    def revoke(self, token: AccessToken, audit: AuditRecord) -> None:
        """Remembered until the token would have expired, and with it what was exchanged from it. Raises StaleWrite if
        it was revoked already."""


class SigningKeys(Protocol):
    """Where the keys are that sign access tokens."""

    def all(self, now: int) -> Sequence[SigningKey]:
        """All keys, as of a minute ago at most."""


class IssuerUnreachable(Exception):
    """The keys of an outside issuer could not be had; the message says why, for administrators."""


class IssuerKeys(Protocol):
    """The public keys of outside issuers."""

    def of(self, issuer: str, key_id: str | None) -> list[dict[str, Any]]:
        """The issuer's keys as JWKs; fetched anew, within limits, if none has this id. Raises IssuerUnreachable."""
