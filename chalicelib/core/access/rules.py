"""The one table that says what each operation needs. What is not listed here is denied.

Source of the rules: Hub's pages "Manage Permanent Tokens" and "Permissions" (one's own account
needs Read Self or Update Self, another's needs Read User or Update User).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from chalicelib.core.access import permissions as p


class Including(Enum):
    """Whose permissions the caller's own have to include, service by service, before something is opened."""

    ACCOUNT = "the account's"  # but for the caller's own
    GROUP = "the group's"
    ROLE = "the role's, before and after"


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity: operations may share a rule
class Rule:
    """A row of the table: all that an operation needs.

    `permission` suffices for any subject (None: for none); `own`, where given, for the caller's own account.
    `everywhere`: the permission has to hold everywhere, and not for one service alone. `includes`: the caller's
    permissions must include those of the account, group or role that it is about. `logged_in`: to the own account only
    by somebody who has logged in, since a token that was stolen must not change what its owner logs in with.
    `second_factor_missing`: to the own account also by somebody who has logged in, but without the second factor that a
    group of theirs demands. `not_delegated`: not by a connected service that acts for the account, which could give
    itself more than was approved, and for longer. `fresh`: who has logged in, with whatever credential came of it, must
    have done so just now: a browser that was left open must not make credentials, nor give permissions. Taking
    something away is not held up by it, but for accounts, second factors, and leaving a group that demands something.
    But whoever takes permissions from somebody has to have them (`includes`), or else they would make an account weaker
    first, and then take it over. `lasting`: what is made, where it has neither end nor networks; not by a credential
    that has (`attenuation`). Source: OWASP's Authentication Cheat Sheet (re-authentication).
    """

    permission: str | None
    own: str | None = None
    everywhere: bool = False
    includes: Including | None = None
    logged_in: bool = False
    second_factor_missing: bool = False
    not_delegated: bool = False
    fresh: bool = False
    lasting: str | None = None

    @classmethod
    def opening(
        cls,
        permission: str | None,
        own: str | None = None,
        everywhere: bool = False,
        includes: Including | None = None,
        logged_in: bool = False,
        second_factor_missing: bool = False,
        lasting: str | None = None,
    ) -> Rule:
        """A row of what makes credentials, gives permissions, or changes who an account is: by a person who logged in
        just now, or by the account's own token."""
        return cls(permission, own, everywhere, includes, logged_in, second_factor_missing, True, True, lasting)


ACCOUNT, GROUP, ROLE = Including.ACCOUNT, Including.GROUP, Including.ROLE


class Operation(Enum):
    """Everything that a caller can ask for."""

    @property
    def rule(self) -> Rule:
        """What this operation needs."""
        rule: Rule = self.value
        return rule

    @property
    def only_reads(self) -> bool:
        """Whether it leaves everything as it is."""
        return self.name.startswith(("LIST_", "READ_", "EXPLAIN_", "TRY_", "TEST_"))

    LIST_USERS = Rule(p.READ_USER)
    READ_USER = Rule(p.READ_USER, own=p.READ_SELF)
    CREATE_USER = Rule(p.CREATE_USER, not_delegated=True)
    # Services know people by their logins, though they should not: one that became free is nobody's for a while.
    REUSE_LOGIN = Rule.opening(p.EVERY_PERMISSION, everywhere=True)
    # Who an account is: its name and e-mail address; its login; its owner.
    EDIT_PROFILE = Rule.opening(p.UPDATE_USER, own=p.UPDATE_SELF, includes=ACCOUNT)
    CHANGE_LOGIN = Rule.opening(p.UPDATE_USER, includes=ACCOUNT)
    CHANGE_OWNER = Rule.opening(p.UPDATE_USER, includes=ACCOUNT)
    BAN_USER = Rule(p.UPDATE_USER, includes=ACCOUNT)
    UNBAN_USER = Rule.opening(p.UPDATE_USER, includes=ACCOUNT)
    DELETE_USER = Rule.opening(p.DELETE_USER, includes=ACCOUNT)
    DESCRIBE_USER = Rule(p.UPDATE_USER, not_delegated=True)

    LIST_TOKENS = Rule(p.READ_USER)  # of all accounts
    READ_TOKENS = Rule(p.READ_USER, own=p.READ_SELF)
    CREATE_TOKEN = Rule.opening(p.UPDATE_USER, own=p.UPDATE_SELF, includes=ACCOUNT)
    DESCRIBE_TOKEN = Rule.opening(p.UPDATE_USER, own=p.UPDATE_SELF)  # and name and label it
    UPDATE_TOKEN = Rule.opening(p.UPDATE_USER, own=p.UPDATE_SELF, includes=ACCOUNT)  # its scope, end and networks
    ROTATE_TOKEN = Rule.opening(p.UPDATE_USER, own=p.UPDATE_SELF, includes=ACCOUNT)
    # With the token itself, whatever its scope: who has it can use it anyway, and so look at it and renew it.
    READ_CURRENT_TOKEN = Rule(None, own=p.ROTATE_SELF)
    ROTATE_CURRENT_TOKEN = Rule(None, own=p.ROTATE_SELF)
    DELETE_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)

    # A first password comes from a session, or from an administrator; never from a token that may be stolen.
    SET_PASSWORD = Rule.opening(
        p.UPDATE_USER, own=p.UPDATE_SELF, includes=ACCOUNT, logged_in=True, lasting="A password"
    )
    READ_SECOND_FACTORS = Rule(p.READ_USER, own=p.READ_SELF, second_factor_missing=True)
    REMOVE_SECOND_FACTORS = Rule.opening(
        p.UPDATE_USER,
        own=p.UPDATE_SELF,
        includes=ACCOUNT,
        logged_in=True,
        lasting="A password without a second factor",
    )
    ADD_SECOND_FACTOR = Rule.opening(None, own=p.UPDATE_SELF, logged_in=True, second_factor_missing=True)
    READ_APPLICATION_PASSWORDS = Rule(p.READ_USER, own=p.READ_SELF)
    CREATE_APPLICATION_PASSWORD = Rule.opening(None, own=p.UPDATE_SELF, lasting="An application password")
    DELETE_APPLICATION_PASSWORD = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    READ_SESSIONS = Rule(p.READ_USER, own=p.READ_SELF)
    END_SESSION = Rule(p.UPDATE_USER, own=p.UPDATE_SELF, second_factor_missing=True)

    # Only the account itself lets a service act for it, and only by somebody who has logged in.
    APPROVE_SERVICE = Rule(None, own=p.UPDATE_SELF, logged_in=True)
    READ_APPROVED_SCOPES = Rule(p.READ_USER, own=p.READ_SELF)
    DELETE_APPROVED_SCOPE = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    READ_REFRESH_TOKENS = Rule(p.READ_USER, own=p.READ_SELF)
    DELETE_REFRESH_TOKEN = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)

    READ_TRUST_RULES = Rule(p.READ_USER, own=p.READ_SELF)
    # A bot must not be able to open itself another door with a token that was stolen from it.
    CREATE_TRUST_RULE = Rule.opening(p.UPDATE_USER, includes=ACCOUNT, lasting="A trust rule")
    UPDATE_TRUST_RULE = Rule.opening(p.UPDATE_USER, includes=ACCOUNT, lasting="A trust rule")
    # By a rule that allows it, a pipeline makes what does not end with its access token (ADR 5): asked beside either.
    ALLOW_LASTING = Rule.opening(p.UPDATE_USER, includes=ACCOUNT, logged_in=True, lasting="A trust rule")
    DELETE_TRUST_RULE = Rule(p.UPDATE_USER, own=p.UPDATE_SELF)
    TRY_TRUST_RULES = Rule(p.UPDATE_USER)  # which makes Keyturn ask the issuer for its keys

    READ_SERVICE = Rule(p.READ_SERVICE)
    CREATE_SERVICE = Rule.opening(p.CREATE_SERVICE, lasting="A service's secret")
    UPDATE_SERVICE = Rule.opening(p.UPDATE_SERVICE)
    RENEW_SERVICE_SECRET = Rule.opening(p.UPDATE_SERVICE, lasting="A service's secret")  # and compare, and take back
    OPEN_SERVICE = Rule.opening(p.UPDATE_SERVICE, lasting="A service that needs no secret")
    # People are not asked before a trusted service acts for them, so whoever says where it gets its codes, or has its
    # secret, acts for everybody.
    TRUST_SERVICE = Rule.opening(p.EVERY_PERMISSION, everywhere=True)
    DELETE_SERVICE = Rule(p.DELETE_SERVICE)

    # What is demanded of the tokens for a service, or of a group's members.
    SET_SERVICE_POLICY = Rule.opening(p.UPDATE_SERVICE)
    # Keyturn's own: it decides whether administrators' tokens are good for administering.
    SET_KEYTURN_POLICY = Rule.opening(p.EVERY_PERMISSION, everywhere=True)
    SET_GROUP_POLICY = Rule.opening(p.UPDATE_GROUP, includes=GROUP)

    # They are sent events of everybody's tokens.
    READ_WEBHOOKS = Rule(p.LOW_LEVEL_ADMIN)
    CREATE_WEBHOOK = Rule.opening(p.LOW_LEVEL_ADMIN, lasting="A webhook")
    UPDATE_WEBHOOK = Rule.opening(p.LOW_LEVEL_ADMIN, lasting="A webhook")  # at another address, it is another one
    RENEW_WEBHOOK_SECRET = Rule.opening(p.LOW_LEVEL_ADMIN, lasting="A webhook's secret")
    TEST_WEBHOOK = Rule(p.LOW_LEVEL_ADMIN, not_delegated=True)
    DELETE_WEBHOOK = Rule(p.LOW_LEVEL_ADMIN)

    READ_AUDIT = Rule(p.READ_AUDIT, own=p.READ_SELF)

    READ_GROUP = Rule(p.READ_GROUP)
    CREATE_GROUP = Rule(p.CREATE_GROUP, not_delegated=True)
    UPDATE_GROUP = Rule(p.UPDATE_GROUP, not_delegated=True)
    # By its name an administrator knows to whom a role is granted.
    RENAME_GROUP = Rule.opening(p.UPDATE_GROUP, includes=GROUP)
    MOVE_GROUP = Rule.opening(p.UPDATE_GROUP, includes=GROUP)  # into another group: what that gives
    MOVE_GROUP_OUT = Rule(p.UPDATE_GROUP, includes=GROUP, not_delegated=True)  # of another group: what that gave
    # A group's demands are a second factor and a policy. Who takes them from its members opens what they guard: all
    # that these may do; and who makes some shuts out members that do not meet them. So the second row is asked for each
    # of them.
    CHANGE_DEMANDS = Rule.opening(p.UPDATE_GROUP, includes=GROUP)
    CHANGE_DEMANDS_ON_MEMBER = Rule.opening(p.UPDATE_GROUP, includes=ACCOUNT)
    DELETE_GROUP = Rule(p.DELETE_GROUP, includes=GROUP)
    ADD_MEMBER = Rule.opening(p.UPDATE_GROUP, includes=GROUP)
    REMOVE_MEMBER = Rule(p.UPDATE_GROUP, includes=GROUP)

    READ_ROLES = Rule(p.READ_ROLE)
    CREATE_ROLE = Rule.opening(p.CREATE_ROLE, includes=ROLE)
    UPDATE_ROLE = Rule.opening(p.UPDATE_ROLE, includes=ROLE)
    DELETE_ROLE = Rule(p.DELETE_ROLE, includes=ROLE)
    READ_GRANTS = Rule(p.READ_USER, own=p.READ_SELF)
    EXPLAIN_PERMISSIONS = Rule(p.READ_USER, own=p.READ_SELF)
    GRANT_ROLE = Rule.opening(p.LOW_LEVEL_ADMIN, includes=ROLE)
    REVOKE_ROLE = Rule(p.LOW_LEVEL_ADMIN, includes=ROLE)
