"""Limits attempts that may be guesses, and records failed ones; `core.common.rate_limits` has the rules."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from chalicelib.core.audit.records import failure
from chalicelib.core.common import rate_limits, validation
from chalicelib.core.common.errors import (
    Forbidden,
    Invalid,
    NotFound,
    SecondFactorLocked,
    SecondFactorRequired,
    Throttled,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.audit.ports import AuditStore
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.login.ports import LoginAttemptStore
    from chalicelib.core.secrets.keyring import Keyring

PASSWORD_WAS_RIGHT = (SecondFactorRequired, SecondFactorLocked, Forbidden)  # these show that the password was right


class AttemptLimiter:
    """The budgets of logins, networks and accounts."""

    def __init__(self, attempts: LoginAttemptStore, trail: AuditStore, keyring: Keyring) -> None:
        self._attempts = attempts
        self._trail = trail
        self._keyring = keyring

    @contextmanager
    def counted(self, login: str, address: str, now: int, passkey: str | None = None) -> Iterator[None]:
        """What happens inside is an attempt to log in: it counts first, and is forgiven if it succeeds.
        `passkey`: without a password, and by what of whom it counts, whether or not there is somebody.

        Raises Throttled, before anything happens, when a budget is used up.
        """
        key, network = validation.login_key(login), rate_limits.network(address)
        spent = rate_limits.budgets if passkey is None else rate_limits.passkey_budgets
        budgets = spent(self._name(passkey or key), network, self._attempts.is_known(key, network, now))
        with self._spending(budgets, now):
            yield
        self._attempts.remember(key, network, now + rate_limits.KNOWN_FOR_MS)

    @contextmanager
    def typed(self, what: rate_limits.Typed, caller: Caller) -> Iterator[None]:
        """The same, for a code that a caller types in: what is Invalid or NotFound was none. Raises Throttled."""
        with self._spending([rate_limits.typed(what, caller.user.id)], caller.now):
            try:
                yield
            except (Invalid, NotFound):
                self.failed(what.value, caller)
                raise

    def failed(self, kind: str, caller: Caller) -> None:
        """The owner's audit log records that something which a caller gave was wrong."""
        self._trail.count(caller.failure(kind))

    def login_failed(self, kind: str, owner: User | None, origin: Origin) -> None:
        """The same, for somebody who has not logged in: in the audit log of the account or, where there is none, of
        the network. It takes as long for both."""
        target = ("user", owner.id) if owner else ("network", rate_limits.network(origin.address))
        self._trail.count(failure(kind, origin.now, origin.address, target, owner.id if owner else None))

    def application_password_failed(self, owner: User | None, origin: Origin) -> None:
        """The same, for what was given in place of an application password. Nothing slows such attempts down, since no
        secret of 256 bits is guessed; so of those from one network only some are recorded."""
        budget = rate_limits.application_passwords(rate_limits.network(origin.address))
        if self._attempts.add(budget, +1, origin.now) <= budget.limit:
            self.login_failed("application-password.failed", owner, origin)

    @contextmanager
    def _spending(self, budgets: list[rate_limits.Budget], now: int) -> Iterator[None]:
        for budget in budgets:
            self.spend(budget, now)
        try:
            yield
        except PASSWORD_WAS_RIGHT:
            self._forgive(budgets, now)
            raise
        self._forgive(budgets, now)

    def spend(self, budget: rate_limits.Budget, now: int) -> None:
        """One of what a budget allows. Raises Throttled."""
        if self._attempts.add(budget, +1, now) > budget.limit:
            raise Throttled(retry_after=max(1, (budget.ends(now) - now) // 1000))

    def _forgive(self, budgets: list[rate_limits.Budget], now: int) -> None:
        for budget in budgets:
            self._attempts.add(budget, -1, now)

    def _name(self, login: str) -> str:
        """What stands for a login in the table: people type passwords where a login belongs."""
        return self._keyring.sign(login.encode(), "login attempts").hex()
