"""`/roles`, and `projectroles`: the grants that give roles to accounts and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.bodies import NewProjectRole, NewRole, Reference, RoleChange
from chalicelib.rest.endpoint import Call, Searchable, operation
from chalicelib.rest.refusals import answer
from chalicelib.rest.shapes import PROJECT_ROLE, ROLE, GrantView

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.paging import Window
    from chalicelib.core.roles import Grant, Role


@operation(ROLE, collection="roles", search=Searchable(("key", "name"), (), ("key", "name")))
def list_roles(call: Call) -> Response:
    window, search = call.window(), call.search()
    page = call.keyturn.roles.page(call.caller(), window, search)
    return call.many(page.items, window, page.total)


@operation(ROLE, body=NewRole, creates=True)
def create_role(call: Call) -> Response:
    caller = call.caller()
    body = call.body(NewRole)
    roles = call.keyturn.roles
    return call.create(
        caller,
        lambda by: roles.create(by, body.key, body.name, _permissions(body.permissions)),
        lambda id: roles.get(caller, id),
    )


@operation(ROLE)
def get_role(call: Call, role: str) -> Response:
    return call.one(call.keyturn.roles.get(call.caller(), role))


@operation(ROLE, body=RoleChange)
def update_role(call: Call, role: str) -> Response:
    caller = call.caller()
    body = call.body(RoleChange)
    permissions = None if body.permissions is None else _permissions(body.permissions)
    return call.one(call.keyturn.roles.update(caller, role, body.key, body.name, permissions))


@operation()
def delete_role(call: Call, role: str) -> Response:
    call.keyturn.roles.delete(call.caller(), role)
    return answer({})


@operation(PROJECT_ROLE, collection="projectroles")
def list_grants(call: Call, user: str) -> Response:
    window = call.window()
    return _part(call, call.keyturn.roles.grants(call.caller(), user), window)


@operation(PROJECT_ROLE, body=NewProjectRole)
def grant_role(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(NewProjectRole)
    granted = call.keyturn.roles.grant(caller, user, body.role.text("role"), body.project.text("project"))
    return call.one(grant_views(call, [granted])[0])


@operation()
def revoke_role(call: Call, user: str, grant: str) -> Response:
    call.keyturn.roles.revoke(call.caller(), user, grant)
    return answer({})


@operation(PROJECT_ROLE, collection="projectroles")
def list_group_grants(call: Call, group: str) -> Response:
    window = call.window()
    return _part(call, call.keyturn.roles.grants_of_group(call.caller(), group), window)


@operation(PROJECT_ROLE, body=NewProjectRole)
def grant_role_to_group(call: Call, group: str) -> Response:
    caller = call.caller()
    body = call.body(NewProjectRole)
    granted = call.keyturn.roles.grant_to_group(caller, group, body.role.text("role"), body.project.text("project"))
    return call.one(grant_views(call, [granted])[0])


@operation()
def revoke_role_from_group(call: Call, group: str, grant: str) -> Response:
    call.keyturn.roles.revoke_from_group(call.caller(), group, grant)
    return answer({})


def _permissions(references: list[Reference]) -> list[str]:
    return [reference.text(f"permissions[{i}]") for i, reference in enumerate(references)]


def _part(call: Call, grants: list[tuple[Grant, Role]], window: Window) -> Response:
    part = grants[window.skip : window.skip + window.top]
    return call.many(grant_views(call, part), window, len(grants))


def grant_views(call: Call, grants: list[tuple[Grant, Role]]) -> list[GrantView]:
    """The grants with the services that they are for, read together."""
    services = call.keyturn.services.resolve({grant.place for grant, _ in grants})
    return [GrantView(grant, role, services) for grant, role in grants]
