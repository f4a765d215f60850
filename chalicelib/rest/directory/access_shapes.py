"""How things look that say who may do what: roles, grants, permissions and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access.account import User
from chalicelib.core.access.role import Grant
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.identifiers import EVERYWHERE
from chalicelib.rest.contract.fields import Field, Kind, Shape
from chalicelib.rest.contract.shapes import REFERENCE, NamedReference, service_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.access.effective import GrantPath
    from chalicelib.core.access.group import Group
    from chalicelib.core.access.permissions import ScopedPermission
    from chalicelib.core.access.role import Role
    from chalicelib.core.directory.service import DeclaredPermission, Service


@dataclass(frozen=True, slots=True)
class PermissionView:
    """A permission, and the service that declares it."""

    permission: DeclaredPermission
    service: Service


@dataclass(frozen=True, slots=True)
class ExplainedPermission:
    """A permission in a place, and why."""

    scoped_permission: ScopedPermission
    paths: list[GrantPath]


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant with its role and the service that it is for."""

    grant: Grant
    role: Role
    services: Mapping[str, Service]
    holder: User | Group | None = None  # only where grants of many are listed

    def owner(self) -> NamedReference:
        """Whom the role was given to."""
        name = self.holder.name if self.holder else None
        type = self.holder.type.value if isinstance(self.holder, User) else "userGroup"
        return NamedReference(self.grant.holder_id, name, type)

    def project(self) -> NamedReference:
        """The place, in Hub's terms: the global project, or a service."""
        if self.grant.scope_id == EVERYWHERE:
            return NamedReference(EVERYWHERE, "Global", "project", "global")
        return service_reference(self.grant.scope_id, self.services.get(self.grant.scope_id))


# Listed beside those of other services, a permission says whose it is.
SERVICE_PERMISSION = Shape(
    "servicepermission",
    {
        "id": Field(lambda view: view.permission.id),
        "type": Field(lambda view: "permission"),
        "key": Field(lambda view: view.permission.key),
        "name": Field(lambda view: view.permission.name),
        "service": Field(lambda view: service_reference(view.service.id, view.service), Kind.ONE, REFERENCE),
    },
    absent=frozenset({"description", "global", "operation", "entityType", "impliedPermissions"}),
)

ROLE = Shape(
    "role",
    {
        "id": Field(lambda role: role.id),
        "type": Field(lambda role: "role"),
        "key": Field(lambda role: role.key),
        "name": Field(lambda role: role.name),
        "permissions": Field(
            lambda role: [NamedReference(id, id, "permission") for id in sorted(role.permissions)], Kind.MANY, REFERENCE
        ),
        "creationTime": Field(lambda role: role.created, Kind.TIME),
    },
    absent=frozenset({"description", "aliases", "projectRoles"}),
    readable=lambda caller, role: caller.is_allowed(Operation.READ_ROLES),
    outline=frozenset({"id", "type", "key", "name"}),
)

# One way by which an account has a permission: the role, and the groups that lead to it.
WAY = Shape(
    "way",
    {
        "id": Field(lambda grant_path: Grant("", grant_path.role.id, grant_path.scope_id).key),
        "type": Field(lambda grant_path: "way"),
        "name": Field(
            lambda grant_path: " › ".join([*(group.name for group in grant_path.through), grant_path.role.name])
        ),
        "role": Field(lambda grant_path: grant_path.role, Kind.ONE, ROLE),
        "groups": Field(
            lambda grant_path: [NamedReference(group.id, group.name, "userGroup") for group in grant_path.through],
            Kind.MANY,
            REFERENCE,
        ),
    },
)

EXPLAINED_PERMISSION = Shape(
    "effectivepermission",
    {
        "id": Field(lambda view: view.scoped_permission.permission),
        "type": Field(lambda view: "effectivePermission"),
        "name": Field(lambda view: str(view.scoped_permission)),
        "project": Field(
            lambda view: NamedReference(view.scoped_permission.scope_id, None, "project"), Kind.ONE, REFERENCE
        ),
        "ways": Field(lambda view: view.paths, Kind.MANY, WAY),
    },
)

PROJECT_ROLE = Shape(
    "projectrole",
    {
        "id": Field(lambda view: view.grant.id),
        "type": Field(lambda view: "projectRole"),
        "name": Field(lambda view: view.role.name),
        "role": Field(lambda view: view.role, Kind.ONE, ROLE),
        "project": Field(lambda view: view.project(), Kind.ONE, REFERENCE),
    },
)

# Listed beside those of others, a grant says whose it is.
OWNED_PROJECT_ROLE = Shape(
    "ownedprojectrole",
    {**PROJECT_ROLE.fields, "owner": Field(lambda view: view.owner(), Kind.ONE, REFERENCE)},
)
