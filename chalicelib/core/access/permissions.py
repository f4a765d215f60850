"""What a subject may do, and how two subjects compare.

A *permission* belongs to a service and has the id `<service id>:<permission key>`. A *role* bundles
permissions. A *grant* gives a role to a user, everywhere or for one service only (Hub's "project":
the global one has the id 0). What all of a user's grants add up to is a `PermissionSet`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.common.identifiers import EVERYWHERE, KEYTURN

if TYPE_CHECKING:
    from collections.abc import Iterable

EVERY_PERMISSION = "*"  # every permission of every service, also of those still to be registered


def permission_id(service_id: str, key: str) -> str:
    """The id under which roles and grants refer to a service's permission."""
    return f"{service_id}:{key}"


READ_SELF = permission_id(KEYTURN, "read-self")
UPDATE_SELF = permission_id(KEYTURN, "update-self")
ROTATE_SELF = permission_id(KEYTURN, "rotate-self")
READ_USER = permission_id(KEYTURN, "read-user")
CREATE_USER = permission_id(KEYTURN, "create-user")
UPDATE_USER = permission_id(KEYTURN, "update-user")
DELETE_USER = permission_id(KEYTURN, "delete-user")
READ_SERVICE = permission_id(KEYTURN, "read-service")
CREATE_SERVICE = permission_id(KEYTURN, "create-service")
UPDATE_SERVICE = permission_id(KEYTURN, "update-service")
DELETE_SERVICE = permission_id(KEYTURN, "delete-service")
READ_GROUP = permission_id(KEYTURN, "read-group")
CREATE_GROUP = permission_id(KEYTURN, "create-group")
UPDATE_GROUP = permission_id(KEYTURN, "update-group")
DELETE_GROUP = permission_id(KEYTURN, "delete-group")
READ_AUDIT = permission_id(KEYTURN, "read-audit")
READ_ROLE = permission_id(KEYTURN, "read-role")
CREATE_ROLE = permission_id(KEYTURN, "create-role")
UPDATE_ROLE = permission_id(KEYTURN, "update-role")
DELETE_ROLE = permission_id(KEYTURN, "delete-role")
LOW_LEVEL_ADMIN = permission_id(KEYTURN, "low-level-admin")

KEYTURN_PERMISSIONS = {
    READ_SELF: "Read Self",
    UPDATE_SELF: "Update Self",
    ROTATE_SELF: "Rotate Self",
    READ_USER: "Read User",
    CREATE_USER: "Create User",
    UPDATE_USER: "Update User",
    DELETE_USER: "Delete User",
    READ_SERVICE: "Read Service",
    CREATE_SERVICE: "Create Service",
    UPDATE_SERVICE: "Update Service",
    DELETE_SERVICE: "Delete Service",
    READ_GROUP: "Read Group",
    CREATE_GROUP: "Create Group",
    UPDATE_GROUP: "Update Group",
    DELETE_GROUP: "Delete Group",
    READ_AUDIT: "Read Audit",
    READ_ROLE: "Read Role",
    CREATE_ROLE: "Create Role",
    UPDATE_ROLE: "Update Role",
    DELETE_ROLE: "Delete Role",
    LOW_LEVEL_ADMIN: "Low-level Administration",
}


READING = frozenset({READ_SELF, READ_USER, READ_SERVICE, READ_GROUP, READ_AUDIT, READ_ROLE})


@dataclass(frozen=True, slots=True, order=True)
class ScopedPermission:
    """One permission in one place: everywhere, or for one service."""

    permission: str
    scope_id: str = EVERYWHERE

    def covers(self, other: ScopedPermission) -> bool:
        """Whether who has this permission has the `other` too."""
        return self.permission in (EVERY_PERMISSION, other.permission) and self.scope_id in (EVERYWHERE, other.scope_id)

    def __str__(self) -> str:
        permission = "every permission" if self.permission == EVERY_PERMISSION else self.permission
        permission = KEYTURN_PERMISSIONS.get(permission, permission)
        return permission if self.scope_id == EVERYWHERE else f"{permission} (service {self.scope_id})"


class PermissionSet:
    """All scoped permissions of one subject."""

    __slots__ = ("scoped_permissions",)

    def __init__(self, scoped_permissions: Iterable[ScopedPermission] = ()) -> None:
        self.scoped_permissions = frozenset(scoped_permissions)

    def allows(self, permission: str, scope_id: str = EVERYWHERE) -> bool:
        """Whether the subject has `permission` in `scope_id`."""
        # The four scoped permissions that cover the wanted one, by name: no walk over a large set.
        return any(
            ScopedPermission(granted, where) in self.scoped_permissions
            for granted in {permission, EVERY_PERMISSION}
            for where in {scope_id, EVERYWHERE}
        )

    def missing(self, other: PermissionSet) -> list[ScopedPermission]:
        """The permissions of `other` that this set does not cover, sorted; empty if this set includes it."""
        return sorted(
            scoped_permission
            for scoped_permission in other.scoped_permissions
            if not self.allows(scoped_permission.permission, scoped_permission.scope_id)
        )

    def includes(self, other: PermissionSet) -> bool:
        """Whether this subject may do all that the other may: service by service, permission by permission."""
        return not self.missing(other)

    def only(self, permissions: Iterable[str]) -> PermissionSet:
        """As much of it as is about these permissions."""
        return PermissionSet(
            ScopedPermission(permission, scope_id)
            for permission in permissions
            for scope_id in self.scope_ids(permission)
        )

    def scope_ids(self, permission: str) -> frozenset[str]:
        """Where the subject has `permission`: service ids, or EVERYWHERE among them."""
        return frozenset(
            scoped_permission.scope_id
            for scoped_permission in self.scoped_permissions
            if scoped_permission.permission in (permission, EVERY_PERMISSION)
        )
