"""Why an account may do what it may do: each permission with the ways by which it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.effective import Access, GrantPath
    from chalicelib.core.access.permissions import ScopedPermission
    from chalicelib.core.access.reader import EffectiveAccess
    from chalicelib.core.directory.accounts import Accounts


class Permissions:
    """Shows and explains what an account may do."""

    def __init__(self, accounts: Accounts, access: EffectiveAccess) -> None:
        self._accounts = accounts
        self._access = access

    def access(self, caller: Caller, user: str) -> Access:
        """All that the account holds, and its groups. Raises Forbidden or NotFound."""
        return self._access.of(self._accounts.find(caller, user, Operation.EXPLAIN_PERMISSIONS).id)

    def explain(self, caller: Caller, user: str) -> list[tuple[ScopedPermission, list[GrantPath]]]:
        """Every permission of the account, sorted, each with all its ways. Raises Forbidden or NotFound."""
        access = self.access(caller, user)
        return [
            (scoped_permission, access.paths_to(scoped_permission))
            for scoped_permission in sorted(access.permissions.scoped_permissions)
        ]
