"""Counts what may be guesses, so that they are slow; `core.throttling` has the rules."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from chalicelib.core import names, throttling
from chalicelib.core.errors import Forbidden, SecondFactorRequired, Throttled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalicelib.core.ports import LoginAttemptStore

NO_GUESS = (SecondFactorRequired, Forbidden)  # these tell that the password was right


class Guesses:
    """The budgets of logins and networks."""

    def __init__(self, attempts: LoginAttemptStore) -> None:
        self._attempts = attempts

    @contextmanager
    def counted(self, login: str, address: str, now: int) -> Iterator[None]:
        """What happens inside is an attempt: it counts first, and is forgiven if it succeeds.

        Raises Throttled, before anything happens, when a budget is used up.
        """
        key, network = names.login_key(login), throttling.network(address)
        budgets = throttling.budgets(key, network, self._attempts.is_known(key, network, now))
        for budget in budgets:
            self.spend(budget, now)
        try:
            yield
        except NO_GUESS:
            self._forgive(budgets, now)
            raise
        self._forgive(budgets, now)
        self._attempts.remember(key, network, now + throttling.KNOWN_FOR_MS)

    def spend(self, budget: throttling.Budget, now: int) -> None:
        """One of what a budget allows. Raises Throttled."""
        if self._attempts.add(budget, +1, now) > budget.limit:
            raise Throttled(retry_after=max(1, (budget.ends(now) - now) // 1000))

    def _forgive(self, budgets: list[throttling.Budget], now: int) -> None:
        for budget in budgets:
            self._attempts.add(budget, -1, now)
