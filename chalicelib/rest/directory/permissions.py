"""`/permissions`: of what roles are made; and what an account may do, with the ways by which it came to that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.directory.access_shapes import (
    EXPLAINED_PERMISSION,
    SERVICE_PERMISSION,
    ExplainedPermission,
    PermissionView,
)

if TYPE_CHECKING:
    from chalice.app import Response


@operation(EXPLAINED_PERMISSION, collection="permissions")
def explain_permissions(call: Call, user: str) -> Response:
    window = call.window()
    explained = call.keyturn.permissions.explain(call.caller(), user)
    part = [
        ExplainedPermission(scoped_permission, paths)
        for scoped_permission, paths in explained[window.skip : window.skip + window.top]
    ]
    return call.many(part, window, len(explained))


@operation(SERVICE_PERMISSION, collection="permissions")
def list_permissions(call: Call) -> Response:
    window = call.window()
    permissions = call.keyturn.services.permissions(call.caller())
    part = [PermissionView(*pair) for pair in permissions[window.skip : window.skip + window.top]]
    return call.many(part, window, len(permissions))
