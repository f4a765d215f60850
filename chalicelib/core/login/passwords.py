"""Setting a password: one's own, knowing the old one; or, by an administrator, another's.

Source: Hub's page "Manage Users" (Change password), NIST SP 800-63B-4.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, Invalid
from chalicelib.core.common.optimistic_retry import retry_persistently
from chalicelib.core.login.password_hashing import PasswordHasher, strong

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.login.attempt_limits import AttemptLimiter
    from chalicelib.core.login.ports import AuthenticatorStore


class Passwords:
    """`user` is an id, a login, or `me` for the caller."""

    def __init__(
        self,
        authenticators: AuthenticatorStore,
        accounts: Accounts,
        hasher: PasswordHasher,
        attempt_limiter: AttemptLimiter,
    ) -> None:
        self._authenticators = authenticators
        self._accounts = accounts
        self._hasher = hasher
        self._attempt_limiter = attempt_limiter

    def set(self, caller: Caller, user: str, password: str, current: str | None) -> None:
        """The account logs in with this password from now on; all its sessions end.

        Raises Invalid (too weak; the current one is wrong), Forbidden, NotFound, Throttled, or Conflict (a
        bot has no password).
        """

        owner, _ = self._accounts.permitted(caller, user, Operation.SET_PASSWORD)
        if owner.type is AccountType.BOT:
            raise Conflict("Bots cannot log in, and have no password.")
        normalized = strong(password, [owner.login, owner.name, owner.email or ""])
        require = functools.cache(lambda encoded: self._require(caller, encoded, current))
        if owner.id == caller.user.id and (stored := self._authenticators.get(owner.id).password) is not None:
            require(stored)
        hashed = self._hasher.hash(normalized)  # before any attempt: it takes long, and logins change the same thing

        def attempt() -> None:
            owner, permit = self._accounts.permitted(caller, user, Operation.SET_PASSWORD)
            old = self._authenticators.get(owner.id)
            if owner.id == caller.user.id and old.password is not None:
                require(old.password)
            new = replace(old.without_sessions(), password=hashed, revision=old.revision + 1)
            record = permit.record("password.set", "password", owner.id, owner.id)
            self._authenticators.replace(owner, old, new, permit.insisting(), False, record)

        retry_persistently(attempt)

    def _require(self, caller: Caller, encoded: str, current: str | None) -> None:
        """Raises Invalid unless the caller knows the password. Guesses count as they do at a login."""
        if current is None:
            raise Invalid("currentPassword", "is required to change a password.")
        with self._attempt_limiter.counted(caller.user.login, caller.address, caller.now):
            if not self._hasher.matches(current, encoded):
                self._attempt_limiter.failed("password.failed", caller)
                raise Invalid("currentPassword", "is incorrect.")
