"""Why an account may do what it may do: each permission with the ways by which it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.authorization import Caller, Operation

if TYPE_CHECKING:
    from chalicelib.core.access import Holding
    from chalicelib.core.operations.accounts import Accounts
    from chalicelib.core.operations.effective_access import EffectiveAccess
    from chalicelib.core.permissions import Power


class Permissions:
    """Explains effective permissions."""

    def __init__(self, accounts: Accounts, access: EffectiveAccess) -> None:
        self._accounts = accounts
        self._access = access

    def explain(self, caller: Caller, user: str) -> list[tuple[Power, list[Holding]]]:
        """Every permission of the account, sorted, each with all its ways. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.EXPLAIN_PERMISSIONS)
        access = self._access.of(owner.id)
        return [(power, access.ways_to(power)) for power in sorted(access.permissions.powers)]
