"""Setting a password: one's own, knowing the old one; or, by an administrator, another's.

Source: Hub's page "Manage Users" (Change password), NIST SP 800-63B-4.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.accounts import AccountType
from chalicelib.core.authorization import Caller, Operation
from chalicelib.core.credentials.passwords import PasswordHasher, strong
from chalicelib.core.errors import Conflict, Invalid
from chalicelib.core.operations.optimistic import until_current

if TYPE_CHECKING:
    from chalicelib.core.operations.accounts import Accounts
    from chalicelib.core.operations.effective_access import EffectiveAccess
    from chalicelib.core.operations.guesses import Guesses
    from chalicelib.core.ports import AuthenticatorStore


class Passwords:
    """`user` is an id, a login, or `me` for the caller."""

    def __init__(
        self,
        authenticators: AuthenticatorStore,
        accounts: Accounts,
        access: EffectiveAccess,
        hasher: PasswordHasher,
        guesses: Guesses,
    ) -> None:
        self._authenticators = authenticators
        self._accounts = accounts
        self._access = access
        self._hasher = hasher
        self._guesses = guesses

    def set(self, caller: Caller, user: str, password: str, current: str | None) -> None:
        """The account logs in with this password from now on; all its sessions end.

        Raises Invalid (too weak; the current one is wrong), Forbidden, NotFound, Throttled, or Conflict (a
        bot has no password).
        """

        def attempt() -> None:
            owner = self._accounts.find(caller, user, Operation.SET_PASSWORD)
            compared = self._access.compared(caller, owner)
            if owner.type is AccountType.BOT:
                raise Conflict("A bot has no password: it logs in nowhere.")
            normalized = strong(password, [owner.login, owner.name])
            old = self._authenticators.get(owner.id)
            if owner.id == caller.user.id and old.password is not None:
                self._require(caller, old.password, current)
            new = replace(
                old.without_sessions(),
                password=self._hasher.hash(normalized),
                revision=old.revision + 1,
            )
            record = caller.record("password.set", "password", owner.id, owner.id)
            self._authenticators.replace(owner, old, new, compared, [], record)

        until_current(attempt)

    def _require(self, caller: Caller, encoded: str, current: str | None) -> None:
        """Raises Invalid unless the caller knows the password. Guesses count as they do at a login."""
        if current is None:
            raise Invalid("currentPassword", "is required to change a password.")
        with self._guesses.counted(caller.user.login, caller.address, caller.now):
            if not self._hasher.matches(current, encoded):
                raise Invalid("currentPassword", "is not right.")
