"""`/roles`, and `projectroles`: the grants that give roles to accounts and groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access.account import User
from chalicelib.core.directory.grants import HeldGrant
from chalicelib.rest.contract.contracts import Searchable
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.directory.access_shapes import OWNED_PROJECT_ROLE, PROJECT_ROLE, ROLE, GrantView
from chalicelib.rest.directory.role_bodies import NewOwnedProjectRole, NewProjectRole, NewRole, RoleChange
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.role import Grant, Role
    from chalicelib.core.common.paging import Window
    from chalicelib.rest.contract.bodies import Reference


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
    caller = call.caller()
    return _part(call, caller, call.keyturn.roles.grants(caller, user), window)


@operation(PROJECT_ROLE, body=NewProjectRole, creates=True)
def grant_role(call: Call, user: str) -> Response:
    roles = call.keyturn.roles
    return _grant(call, user, roles.grant, roles.granted)


@operation()
def revoke_role(call: Call, user: str, grant: str) -> Response:
    call.keyturn.roles.revoke(call.caller(), user, grant)
    return answer({})


@operation(PROJECT_ROLE, collection="projectroles")
def list_group_grants(call: Call, group: str) -> Response:
    window = call.window()
    caller = call.caller()
    return _part(call, caller, call.keyturn.roles.grants_of_group(caller, group), window)


@operation(PROJECT_ROLE, body=NewProjectRole, creates=True)
def grant_role_to_group(call: Call, group: str) -> Response:
    roles = call.keyturn.roles
    return _grant(call, group, roles.grant_to_group, roles.granted_to_group)


@operation()
def revoke_role_from_group(call: Call, group: str, grant: str) -> Response:
    call.keyturn.roles.revoke_from_group(call.caller(), group, grant)
    return answer({})


@operation(OWNED_PROJECT_ROLE, collection="projectroles", search=Searchable(("role", "user", "group")))
def list_all_grants(call: Call) -> Response:
    window, search = call.window(), call.search()
    caller = call.caller()
    page = call.keyturn.all_grants.page(caller, window, search)
    return call.many(_owned_views(call, caller, page.items), window, page.total)


@operation(OWNED_PROJECT_ROLE, body=NewOwnedProjectRole, creates=True)
def grant_role_to_owner(call: Call) -> Response:
    caller = call.caller()
    body = call.body(NewOwnedProjectRole)
    role, project = body.role.text("role"), body.project.text("project")
    holder = call.keyturn.all_grants.holder(caller, body.owner.text("owner"))
    roles = call.keyturn.roles
    grant, granted = (
        (roles.grant, roles.granted) if isinstance(holder, User) else (roles.grant_to_group, roles.granted_to_group)
    )

    def view(pair: tuple[Grant, Role]) -> GrantView:
        return _owned_views(call, caller, [HeldGrant(*pair, holder)])[0]

    return call.create(
        caller,
        lambda by: view(grant(by, holder.id, role, project)),
        lambda _: view(granted(caller, holder.id, role, project)),
    )


@operation()
def revoke_role_from_owner(call: Call, grant: str) -> Response:
    caller = call.caller()
    holder = call.keyturn.all_grants.holder(caller, grant.partition(".")[0])
    roles = call.keyturn.roles
    revoke = roles.revoke if isinstance(holder, User) else roles.revoke_from_group
    revoke(caller, holder.id, grant)
    return answer({})


def _owned_views(call: Call, caller: Caller, held: Sequence[HeldGrant]) -> list[GrantView]:
    views = grant_views(call, caller, [(each.grant, each.role) for each in held])
    return [replace(view, holder=each.holder) for view, each in zip(views, held, strict=True)]


def _permissions(references: list[Reference]) -> list[str]:
    return [reference.text(f"permissions[{i}]") for i, reference in enumerate(references)]


def _grant(
    call: Call,
    holder: str,
    grant: Callable[[Caller, str, str, str], tuple[Grant, Role]],
    granted: Callable[[Caller, str, str, str], tuple[Grant, Role]],
) -> Response:
    caller = call.caller()
    body = call.body(NewProjectRole)
    role, project = body.role.text("role"), body.project.text("project")
    return call.create(
        caller,
        lambda by: grant_views(call, caller, [grant(by, holder, role, project)])[0],
        lambda _: grant_views(call, caller, [granted(caller, holder, role, project)])[0],
    )


def _part(call: Call, caller: Caller, grants: list[tuple[Grant, Role]], window: Window) -> Response:
    part = grants[window.skip : window.skip + window.top]
    return call.many(grant_views(call, caller, part), window, len(grants))


def grant_views(
    call: Call, caller: Caller, grants: list[tuple[Grant, Role]], account_id: str | None = None
) -> list[GrantView]:
    """The grants with the services that they are for, read together. `account_id`: to whom they give something, if that
    is not their holder."""
    services = call.keyturn.services.resolve({grant.scope_id for grant, _ in grants})
    shown = call.keyturn.services.shown
    return [GrantView(grant, role, shown(caller, services, account_id or grant.holder_id)) for grant, role in grants]
