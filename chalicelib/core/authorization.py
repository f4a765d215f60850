"""The one table that says what each operation needs. What is not listed here is denied.

Source of the rules: Hub's pages "Manage Permanent Tokens" and "Permissions" (one's own account
needs Read Self or Update Self, another's needs Read User or Update User).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from chalicelib.core import permissions as p
from chalicelib.core.audit import AuditRecord
from chalicelib.core.errors import Forbidden
from chalicelib.core.permissions import EVERYWHERE, KEYTURN_PERMISSIONS, PermissionSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.accounts import User
    from chalicelib.core.once import Once


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: operations may share a rule
class Rule:
    """`permission` suffices for any subject; `own`, where given, for the caller's own account."""

    permission: str
    own: str | None = None


class Operation(Enum):
    """Everything that a caller can ask for."""

    @property
    def rule(self) -> Rule:
        """What this operation needs."""
        rule: Rule = self.value
        return rule

    LIST_USERS = Rule(p.READ_USER)
    READ_USER = Rule(p.READ_USER, own=p.READ_SELF)
    CREATE_USER = Rule(p.CREATE_USER)
    RENAME_USER = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    CHANGE_LOGIN = Rule(p.UPDATE_USER, own=None)
    BAN_USER = Rule(p.UPDATE_USER, own=None)
    DELETE_USER = Rule(p.DELETE_USER)

    READ_TOKENS = Rule(p.READ_USER, own=p.READ_SELF)
    # On behalf of others, creating and re-scoping also need permissions that include the owner's.
    CREATE_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    UPDATE_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    DELETE_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)

    READ_SERVICE = Rule(p.READ_SERVICE)
    CREATE_SERVICE = Rule(p.CREATE_SERVICE)
    UPDATE_SERVICE = Rule(p.UPDATE_SERVICE)
    DELETE_SERVICE = Rule(p.DELETE_SERVICE)

    READ_AUDIT = Rule(p.READ_AUDIT, own=p.READ_SELF)

    READ_GROUP = Rule(p.READ_GROUP)
    CREATE_GROUP = Rule(p.CREATE_GROUP)
    UPDATE_GROUP = Rule(p.UPDATE_GROUP)
    DELETE_GROUP = Rule(p.DELETE_GROUP)
    # Putting an account or a group into a group also needs what the group gives.
    CHANGE_MEMBERS = Rule(p.UPDATE_GROUP)

    READ_ROLES = Rule(p.READ_ROLE)
    # Nobody can put into a role, or grant, what they do not have themselves.
    CREATE_ROLE = Rule(p.CREATE_ROLE)
    UPDATE_ROLE = Rule(p.UPDATE_ROLE)
    DELETE_ROLE = Rule(p.DELETE_ROLE)
    READ_GRANTS = Rule(p.READ_USER, own=p.READ_SELF)
    EXPLAIN_PERMISSIONS = Rule(p.READ_USER, own=p.READ_SELF)
    GRANT_ROLE = Rule(p.LOW_LEVEL_ADMIN)
    REVOKE_ROLE = Rule(p.LOW_LEVEL_ADMIN)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with what powers, when and from where."""

    user: User
    permissions: PermissionSet
    credential_id: str  # of the token that was used, for the audit record
    now: int  # milliseconds since the epoch
    address: str
    groups: frozenset[str] = frozenset()  # that the caller is in, directly or by nesting
    once: Once | None = None  # the client's key for this request

    def may(self, operation: Operation, subject_id: str | None = None, place: str = EVERYWHERE) -> bool:
        """Whether the caller may do this to the account `subject_id`, or in `place` (a service id)."""
        rule = operation.rule
        if rule.own and subject_id == self.user.id and self.permissions.allows(rule.own):
            return True
        return self.permissions.allows(rule.permission, place)

    def require(self, operation: Operation, subject_id: str | None = None, place: str = EVERYWHERE) -> None:
        """Raises Forbidden, naming the permission, unless the caller `may`."""
        if not self.may(operation, subject_id, place):
            rule = operation.rule
            needed = rule.own if rule.own and subject_id == self.user.id else rule.permission
            raise Forbidden(f"This needs the permission {KEYTURN_PERMISSIONS[needed]!r}.")

    def record(
        self,
        kind: str,
        target_kind: str,
        target_id: str,
        owner_id: str | None = None,
        details: Mapping[str, str] | None = None,
    ) -> AuditRecord:
        """The audit record of a change that this caller makes."""
        return AuditRecord(
            kind=kind,
            at=self.now,
            actor_id=self.user.id,
            credential_id=self.credential_id,
            address=self.address,
            target_kind=target_kind,
            target_id=target_id,
            owner_id=owner_id,
            details=details or {},
            once=self.once,
        )
