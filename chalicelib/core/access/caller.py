"""Who asks, and whether they may: what the table of rules (`core.access.rules`) says is held here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from chalicelib.core.access import permissions as p
from chalicelib.core.access.permissions import KEYTURN_PERMISSIONS, PermissionSet
from chalicelib.core.access.rules import Including, Operation
from chalicelib.core.access.transaction_limits import require_room
from chalicelib.core.audit.records import AuditRecord, Hand, failure
from chalicelib.core.common.errors import Forbidden, LoginTooOld, Refusal
from chalicelib.core.common.identifiers import EVERYWHERE, KEYTURN
from chalicelib.core.common.time import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.access.permissions import ScopedPermission
    from chalicelib.core.access.rules import Rule
    from chalicelib.core.audit.idempotency import IdempotencyKey

R = TypeVar("R", bound=Refusal)

ESCALATION = "escalation.refused"  # the kind of the audit record
PREVIOUS_SECRET = "earlier-secret.refused"  # the same, where it was tried with a secret that has been superseded
FRESH_MS = 15 * 60_000  # a login that is not older than this was just now


@dataclass(frozen=True, slots=True)
class Opening:
    """What an operation opens: the permissions that the caller's must include; `refusal` begins the sentence that says
    which are lacking. `access`: what the permissions rest on, for the write to insist that it is still so."""

    permissions: PermissionSet
    refusal: str
    access: Access | None = None


NOTHING = Opening(PermissionSet(), "")


@dataclass(frozen=True, slots=True)
class Permit:
    """That the caller may do this: everything in the operation's row holds. Only `Caller.require` makes one.

    Every change needs an audit record, and only a permit makes those of a caller: so nothing is changed without its
    row. `required_permissions`: what the opened permissions rest on, None where nothing had to be compared.
    """

    caller: Caller
    operation: Operation
    required_permissions: Access | None = None

    def insisting(self, besides: int = 0) -> Access | None:
        """What the write has to find as it was compared, while it writes so many labels or memberships `besides`.
        Raises Conflict if one transaction cannot check as much."""
        if self.required_permissions:
            require_room(self.required_permissions, besides)
        return self.required_permissions

    def record(
        self,
        kind: str,
        target_kind: str,
        target_id: str,
        owner_id: str | None = None,
        details: Mapping[str, str] | None = None,
    ) -> AuditRecord:
        """The audit record of the change that the caller makes."""
        if self.operation.only_reads:
            raise TypeError(f"{self.operation.name} changes nothing.")
        caller = self.caller
        return AuditRecord(
            kind=kind,
            at=caller.now,
            actor_id=caller.user.id,
            credential_id=caller.source_id or caller.credential_id,
            address=caller.address,
            target_kind=target_kind,
            target_id=target_id,
            owner_id=owner_id,
            details=details or {},
            idempotency_key=caller.idempotency_key,
            hand=caller.acting_hand,
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with what permissions, when and from where."""

    user: User
    permissions: PermissionSet
    credential_id: str  # of the token, application password or session that is presented
    now: int  # milliseconds since the epoch
    address: str
    groups: frozenset[str] = frozenset()  # that the caller is in, directly or by nesting
    idempotency_key: IdempotencyKey | None = None  # the client's key for this request
    logged_in: bool = False  # a person with a session, not a token
    logged_in_at: int | None = None  # when the login was that the credential came of, in milliseconds since the epoch
    delegated: bool = False  # a connected service acts for the account
    secret_ends: int | None = None  # when the secret that was presented ends, if the token has a newer one
    secret_since: int | None = None  # when the secret of a permanent token that was presented was made
    # When what was presented ends, or what it came from, and with it what it makes. None: not by itself, or a trust
    # rule allows what its access tokens make to last.
    ends: int | None = None
    networks: tuple[str, ...] = ()  # from which alone that may be used; none: from everywhere
    opens_nothing: str | None = None  # why what is presented makes no credentials and gives no powers, if it does not
    rotate_only: bool = False  # a permanent token that is not for Keyturn: its owner's permissions are not there
    second_factor: bool = False  # proven by the session
    second_factor_missing: bool = False  # a group demands a second factor, and this session was opened without one
    source_id: str | None = None  # of what an access token that is presented came from
    hand: Hand = field(default_factory=Hand)
    record_refusal: Callable[[AuditRecord], None] = field(default=lambda record: None, repr=False, compare=False)

    def is_allowed(self, operation: Operation, subject_id: str | None = None, scope_id: str = EVERYWHERE) -> bool:
        """Whether the caller may do this to the account `subject_id`, or in `scope_id` (a service id)."""
        return self.is_allowed_after_relogin(operation, subject_id, scope_id) and not (
            operation.rule.fresh and self._logged_in_long_ago
        )

    def is_allowed_after_relogin(
        self, operation: Operation, subject_id: str | None = None, scope_id: str = EVERYWHERE
    ) -> bool:
        """Whether the caller may do this, if need be after another login: what a page offers. What the operation
        opens is not looked at."""
        rule, own = operation.rule, subject_id == self.user.id
        if self.second_factor_missing and not (rule.second_factor_missing and own):
            return False
        if self.delegated and rule.not_delegated:
            return False
        if self.opens_nothing and rule.fresh:
            return False
        if own and rule.logged_in and not self.logged_in:
            return False
        if own and rule.own and self.permissions.allows(rule.own):
            return True
        where = EVERYWHERE if rule.everywhere else scope_id
        return rule.permission is not None and self.permissions.allows(rule.permission, where)

    def check(self, operation: Operation, subject_id: str | None = None, scope_id: str = EVERYWHERE) -> None:
        """Raises Forbidden, saying what is missing, unless the caller `is_allowed`; LoginTooOld if that is all.

        What opens something leaves a record if it is refused: whoever tries it may have stolen what they present.
        """
        if not self.is_allowed_after_relogin(operation, subject_id, scope_id):
            refusal = Forbidden(self._missing(operation.rule, own=subject_id == self.user.id))
            raise self.recorded(refusal) if operation.rule.fresh else refusal
        if not self.is_allowed(operation, subject_id, scope_id):
            raise LoginTooOld(f"This needs a recent login, at most {FRESH_MS // 60_000} minutes old. Log in again.")
        if operation.rule.lasting:
            self._require_lasting(operation.rule.lasting)

    def require(
        self,
        operation: Operation,
        subject_id: str | None = None,
        scope_id: str = EVERYWHERE,
        opens: Opening | None = None,
    ) -> Permit:
        """That the caller may do this to the account `subject_id`, or in `scope_id` (a service id).

        Raises as `check`; Forbidden also unless the caller's permissions include all that it opens.
        """
        self.check(operation, subject_id, scope_id)
        including = operation.rule.includes
        if including and not (including is Including.ACCOUNT and subject_id == self.user.id):
            if opens is None:
                raise TypeError(f"{operation.name} cannot be run without what it opens.")
            self._require_all_of(opens)
        return Permit(self, operation, opens.access if opens else None)

    def _require_lasting(self, what: str) -> None:
        """Raises Forbidden where `what` is made, which has neither end nor networks, by a credential that has: what a
        credential makes is no broader than the credential (`core.access.attenuation`)."""
        if self.ends is not None:
            ends = rfc3339(self.ends)
            raise self.recorded(
                Forbidden(f"{what} does not expire, but the token that you present does, at {ends}. Log in first.")
            )
        if self.networks:
            raise self.recorded(
                Forbidden(f"{what} is not limited to networks, but the token that you present is. Log in first.")
            )

    def _require_all_of(self, opens: Opening) -> None:
        missing = self.permissions.missing(opens.permissions)
        if missing:
            raise self.recorded(Forbidden(f"{opens.refusal}: {self._listed(missing)}."))

    def failure(self, kind: str) -> AuditRecord:
        """The record, in the caller's own audit log, of what they tried and may not, or gave and was wrong."""
        id = self.user.id
        record = failure(kind, self.now, self.address, ("user", id), id, id, self.source_id or self.credential_id)
        return replace(record, hand=self.acting_hand)

    def recorded(self, refusal: R, kind: str | None = None) -> R:
        """The refusal, once it is recorded: of something that opens more than the caller has, or would outlive what is
        presented. Every such refusal comes through here. `kind`: unless it follows from what is presented."""
        self.record_refusal(self.failure(kind or (ESCALATION if self.secret_ends is None else PREVIOUS_SECRET)))
        return refusal

    @property
    def acting_hand(self) -> Hand:
        """By which hand the caller acts, for a record."""
        return replace(self.hand, previous_secret=self.secret_ends is not None)

    def may_name(self, scoped_permission: ScopedPermission) -> bool:
        """Whether a refusal may name this permission: not if it is of, or in, a service that the caller may not see."""
        services = {scoped_permission.permission.partition(":")[0], scoped_permission.scope_id} - {
            KEYTURN,
            EVERYWHERE,
            p.EVERY_PERMISSION,
        }
        return all(self.is_allowed(Operation.READ_SERVICE, scope_id=service) for service in services)

    def _listed(self, scoped_permissions: Sequence[ScopedPermission]) -> str:
        """Some of these permissions in words."""
        named = [str(scoped_permission) for scoped_permission in scoped_permissions if self.may_name(scoped_permission)]
        if not named:
            return "permissions of hidden services"
        return ", ".join(named[:10]) + (" and more" if len(scoped_permissions) > len(named[:10]) else "")

    @property
    def _logged_in_long_ago(self) -> bool:
        return self.logged_in_at is not None and self.now - self.logged_in_at > FRESH_MS

    def _missing(self, rule: Rule, own: bool) -> str:
        if self.second_factor_missing and not (rule.second_factor_missing and own):
            return "One of your groups requires a second factor. Add one first."
        if self.delegated and rule.not_delegated:
            return "A connected service cannot do this on behalf of an account."
        if self.opens_nothing and rule.fresh:
            return self.opens_nothing
        if self.secret_ends is not None and not self.rotate_only:
            return "A previous secret can only read, and rotate its own token. Present the current secret."
        if own and rule.logged_in and not self.logged_in:
            return "Log in first: tokens and application passwords cannot do this to their own account."
        needed = rule.own if own and rule.own else rule.permission
        if needed is None:
            return "Only the account itself can do this."
        if needed == p.EVERY_PERMISSION:
            return "This needs the role System Admin, everywhere."
        return f"This needs the permission {KEYTURN_PERMISSIONS[needed]!r}."
