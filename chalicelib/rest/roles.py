"""`/roles`, and `/users/{user}/projectroles`: the grants that give roles to an account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.bodies import NewProjectRole, NewRole
from chalicelib.rest.endpoint import Call, operation
from chalicelib.rest.refusals import answer
from chalicelib.rest.shapes import PROJECT_ROLE, ROLE, GrantView

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.roles import Grant, Role


@operation(ROLE)
def list_roles(call: Call) -> Response:
    window = call.window()
    page = call.keyturn.roles.page(call.caller(), window)
    return call.many("roles", page.items, window, page.total)


@operation(ROLE)
def create_role(call: Call) -> Response:
    caller = call.caller()
    body = call.body(NewRole)
    permissions = [reference.text(f"permissions[{i}]") for i, reference in enumerate(body.permissions)]
    return call.one(call.keyturn.roles.create(caller, body.key, body.name, permissions))


@operation(ROLE)
def get_role(call: Call, role: str) -> Response:
    return call.one(call.keyturn.roles.get(call.caller(), role))


@operation(PROJECT_ROLE)
def list_grants(call: Call, user: str) -> Response:
    window = call.window()
    grants = call.keyturn.roles.grants(call.caller(), user)
    part = grants[window.skip : window.skip + window.top]
    return call.many("projectroles", _views(call, part), window, len(grants))


@operation(PROJECT_ROLE)
def grant_role(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(NewProjectRole)
    granted = call.keyturn.roles.grant(caller, user, body.role.text("role"), body.project.text("project"))
    return call.one(_views(call, [granted])[0])


@operation()
def revoke_role(call: Call, user: str, grant: str) -> Response:
    call.keyturn.roles.revoke(call.caller(), user, grant)
    return answer({})


def _views(call: Call, grants: list[tuple[Grant, Role]]) -> list[GrantView]:
    services = call.keyturn.services.resolve({grant.place for grant, _ in grants})
    return [GrantView(grant, role, services) for grant, role in grants]
