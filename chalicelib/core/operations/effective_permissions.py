"""What an account may do now: the one place where its grants and their roles are added up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.roles import effective_permissions

if TYPE_CHECKING:
    from chalicelib.core.permissions import PermissionSet
    from chalicelib.core.ports import RoleStore


class EffectivePermissions:
    """Reads what is granted at the moment, strongly consistent; nothing is remembered."""

    def __init__(self, roles: RoleStore) -> None:
        self._roles = roles

    def of(self, user_id: str) -> PermissionSet:
        """All permissions of the account, each with the places where it holds."""
        grants = self._roles.grants_of(user_id)
        return effective_permissions(grants, self._roles.get_many({grant.role_id for grant in grants}))
