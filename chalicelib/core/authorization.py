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
from chalicelib.core.errors import Forbidden, LoginTooOld
from chalicelib.core.permissions import EVERYWHERE, KEYTURN_PERMISSIONS, PermissionSet

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.accounts import User
    from chalicelib.core.once import Once


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: operations may share a rule
class Rule:
    """`permission` suffices for any subject (None: for none); `own`, where given, for the caller's own account.

    `logged_in`: to the own account only by somebody who has logged in, since a token that was stolen must
    not change what its owner logs in with. `unproven`: also by somebody who has logged in, but without
    the second factor that a group of theirs demands. `first_hand`: not by a connected service that acts for the
    account, which could give itself more than was approved, and for longer. `fresh`: who has logged in must have
    done so just now: a browser that was left open must not make credentials, nor give powers. Taking something
    away is never held up by it. Source: OWASP's Authentication Cheat Sheet (re-authentication).
    """

    permission: str | None
    own: str | None = None
    logged_in: bool = False
    unproven: bool = False
    first_hand: bool = False
    fresh: bool = False


FRESH_MS = 15 * 60_000  # a login that is not older than this was just now


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
    DESCRIBE_USER = Rule(p.UPDATE_USER, own=None)  # and say who owns it
    CHANGE_LOGIN = Rule(p.UPDATE_USER, own=None)
    BAN_USER = Rule(p.UPDATE_USER, own=None)
    DELETE_USER = Rule(p.DELETE_USER, fresh=True)

    LIST_TOKENS = Rule(p.READ_USER)  # of all accounts
    READ_TOKENS = Rule(p.READ_USER, own=p.READ_SELF)
    # On behalf of others, creating, re-scoping and rotating also need permissions that include the owner's.
    CREATE_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF, first_hand=True, fresh=True)
    UPDATE_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF, first_hand=True, fresh=True)
    ROTATE_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF, first_hand=True, fresh=True)
    # With the token itself, whatever its scope: who has it can use it anyway, and so look at it and renew it.
    READ_CURRENT_TOKEN = Rule(None, own=p.ROTATE_SELF)
    ROTATE_CURRENT_TOKEN = Rule(None, own=p.ROTATE_SELF)
    DELETE_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)

    # On behalf of others, the next three also need permissions that include the owner's.
    SET_PASSWORD = Rule(p.UPDATE_USER, own=p.UPDATE_SELF, first_hand=True, fresh=True)
    READ_SECOND_FACTORS = Rule(p.READ_USER, own=p.READ_SELF, unproven=True)
    REMOVE_SECOND_FACTORS = Rule(p.UPDATE_USER, own=p.UPDATE_SELF, logged_in=True, fresh=True)
    ADD_SECOND_FACTOR = Rule(None, own=p.UPDATE_SELF, logged_in=True, unproven=True, fresh=True)
    READ_APPLICATION_PASSWORDS = Rule(p.READ_USER, own=p.READ_SELF)
    CREATE_APPLICATION_PASSWORD = Rule(None, own=p.UPDATE_SELF, first_hand=True, fresh=True)
    DELETE_APPLICATION_PASSWORD = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    READ_SESSIONS = Rule(p.READ_USER, own=p.READ_SELF)
    END_SESSION = Rule(p.UPDATE_USER, own=p.UPDATE_SELF, unproven=True)

    # Only the account itself lets a service act for it, and only by somebody who has logged in.
    APPROVE_SERVICE = Rule(None, own=p.UPDATE_SELF, logged_in=True)
    READ_APPROVED_SCOPES = Rule(p.READ_USER, own=p.READ_SELF)
    DELETE_APPROVED_SCOPE = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    READ_REFRESH_TOKENS = Rule(p.READ_USER, own=p.READ_SELF)
    DELETE_REFRESH_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)

    READ_TRUST_RULES = Rule(p.READ_USER, own=p.READ_SELF)
    # A bot must not be able to open itself another door with a token that was stolen from it; and on behalf of
    # others, creating also needs permissions that include the bot's.
    CREATE_TRUST_RULE = Rule(p.UPDATE_USER, first_hand=True, fresh=True)
    DELETE_TRUST_RULE = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    TRY_TRUST_RULES = Rule(p.UPDATE_USER)  # which makes Keyturn ask the issuer for its keys

    READ_SERVICE = Rule(p.READ_SERVICE)
    CREATE_SERVICE = Rule(p.CREATE_SERVICE, fresh=True)
    UPDATE_SERVICE = Rule(p.UPDATE_SERVICE, fresh=True)
    DELETE_SERVICE = Rule(p.DELETE_SERVICE)

    # What is demanded of the tokens for a service, or of a group's members.
    SET_SERVICE_POLICY = Rule(p.UPDATE_SERVICE, fresh=True)
    SET_GROUP_POLICY = Rule(p.UPDATE_GROUP, fresh=True)

    # They are told of everybody's tokens.
    READ_WEBHOOKS = Rule(p.LOW_LEVEL_ADMIN)
    CREATE_WEBHOOK = Rule(p.LOW_LEVEL_ADMIN, fresh=True)
    TEST_WEBHOOK = Rule(p.LOW_LEVEL_ADMIN)
    DELETE_WEBHOOK = Rule(p.LOW_LEVEL_ADMIN)

    READ_AUDIT = Rule(p.READ_AUDIT, own=p.READ_SELF)

    READ_GROUP = Rule(p.READ_GROUP)
    CREATE_GROUP = Rule(p.CREATE_GROUP)
    UPDATE_GROUP = Rule(p.UPDATE_GROUP)
    DELETE_GROUP = Rule(p.DELETE_GROUP)
    # Putting an account or a group into a group also needs what the group gives.
    ADD_MEMBER = Rule(p.UPDATE_GROUP, fresh=True)
    REMOVE_MEMBER = Rule(p.UPDATE_GROUP)

    READ_ROLES = Rule(p.READ_ROLE)
    # Nobody can put into a role, or grant, what they do not have themselves.
    CREATE_ROLE = Rule(p.CREATE_ROLE)
    UPDATE_ROLE = Rule(p.UPDATE_ROLE, fresh=True)
    DELETE_ROLE = Rule(p.DELETE_ROLE)
    READ_GRANTS = Rule(p.READ_USER, own=p.READ_SELF)
    EXPLAIN_PERMISSIONS = Rule(p.READ_USER, own=p.READ_SELF)
    GRANT_ROLE = Rule(p.LOW_LEVEL_ADMIN, fresh=True)
    REVOKE_ROLE = Rule(p.LOW_LEVEL_ADMIN)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, with what powers, when and from where."""

    user: User
    permissions: PermissionSet
    credential_id: str  # of the token, application password or session that was used, for the audit record
    now: int  # milliseconds since the epoch
    address: str
    groups: frozenset[str] = frozenset()  # that the caller is in, directly or by nesting
    once: Once | None = None  # the client's key for this request
    logged_in: bool = False  # a person with a session, not a token
    logged_in_at: int | None = None  # when, in milliseconds since the epoch
    delegated: bool = False  # a connected service acts for the account
    secret_ends: int | None = None  # when the secret that was presented ends, if the token has a newer one
    limited: bool = False  # a permanent token that is not for Keyturn: its owner's permissions are not there
    unproven: bool = False  # a group demands a second factor, and this session was opened without one

    def may(self, operation: Operation, subject_id: str | None = None, place: str = EVERYWHERE) -> bool:
        """Whether the caller may do this to the account `subject_id`, or in `place` (a service id)."""
        return self.could(operation, subject_id, place) and not (operation.rule.fresh and self._logged_in_long_ago)

    def could(self, operation: Operation, subject_id: str | None = None, place: str = EVERYWHERE) -> bool:
        """Whether the caller may do this, if need be after another login: what a page offers."""
        rule = operation.rule
        if self.unproven and not rule.unproven:
            return False
        if self.delegated and rule.first_hand:
            return False
        own = subject_id == self.user.id
        if own and rule.logged_in and not self.logged_in:
            return False
        if own and rule.own and self.permissions.allows(rule.own):
            return True
        return rule.permission is not None and self.permissions.allows(rule.permission, place)

    def require(self, operation: Operation, subject_id: str | None = None, place: str = EVERYWHERE) -> None:
        """Raises Forbidden, saying what is missing, unless the caller `may`; LoginTooOld if that is all."""
        if not self.could(operation, subject_id, place):
            raise Forbidden(self._missing(operation.rule, own=subject_id == self.user.id))
        if not self.may(operation, subject_id, place):
            raise LoginTooOld(f"This needs a login that is not older than {FRESH_MS // 60_000} minutes. Log in again.")

    @property
    def _logged_in_long_ago(self) -> bool:
        return self.logged_in_at is not None and self.now - self.logged_in_at > FRESH_MS

    def _missing(self, rule: Rule, own: bool) -> str:
        if self.unproven and not rule.unproven:
            return "A group of yours requires a second factor. Add one first."
        if self.delegated and rule.first_hand:
            return "A connected service cannot do this for an account."
        if own and rule.logged_in and not self.logged_in:
            return "Log in: nobody can do this to their own account with a token or application password."
        needed = rule.own if own and rule.own else rule.permission
        if needed is None:
            return "Only the account itself can do this."
        return f"This needs the permission {KEYTURN_PERMISSIONS[needed]!r}."

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
