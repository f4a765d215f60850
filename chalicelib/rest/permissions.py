"""`/users/{user}/permissions`: what an account may do, and by which ways it came to that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.endpoint import Call, operation
from chalicelib.rest.shapes import EXPLAINED_PERMISSION, ExplainedPermission

if TYPE_CHECKING:
    from chalice.app import Response


@operation(EXPLAINED_PERMISSION, collection="permissions")
def explain_permissions(call: Call, user: str) -> Response:
    window = call.window()
    explained = call.keyturn.permissions.explain(call.caller(), user)
    part = [ExplainedPermission(power, ways) for power, ways in explained[window.skip : window.skip + window.top]]
    return call.many(part, window, len(explained))
