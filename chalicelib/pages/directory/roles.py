"""Administration › Access Management › Roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.permissions import EVERY_PERMISSION, ScopedPermission
from chalicelib.core.access.role import REGISTERED_USER, SYSTEM_ADMIN
from chalicelib.core.access.rules import Operation
from chalicelib.pages.directory.service_names import Names
from chalicelib.pages.frame.editing import Edit, version_of
from chalicelib.pages.frame.paging import Pager, window
from chalicelib.pages.frame.render import Dialog, link, page, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.role import Role
    from chalicelib.core.common.errors import Refusal
    from chalicelib.core.directory.service import DeclaredPermission, Service
    from chalicelib.web.request import FormRequest

    Offered = Sequence[tuple[DeclaredPermission, Service]]

BUILT_IN = (SYSTEM_ADMIN, REGISTERED_USER)


@for_users
def show_roles(request: FormRequest, caller: Caller) -> Response:
    """All roles."""
    return _roles_page(request, caller)


@for_users
def ask_new(request: FormRequest, caller: Caller) -> Response:
    """The form of a new role."""
    caller.check(Operation.CREATE_ROLE)
    return _roles_page(request, caller, _form_dialog(request, None, _offered(request, caller), "", "", []))


@form
def create(request: FormRequest, caller: Caller) -> Response:
    """The new role, on its own page."""

    def do() -> Response:
        made = request.keyturn.roles.create(caller, *_sent(request))
        return redirect(request, "roles", made.id, done="role-created")

    def again(problem: Refusal) -> Response:
        dialog = _form_dialog(request, None, _offered(request, caller), *_sent(request))
        return _roles_page(request, caller, dialog, problem)

    return unless_refused(do, again)


@for_users
def show_role(request: FormRequest, caller: Caller, role: str) -> Response:
    """What it gives."""
    return _role_page(request, caller, request.keyturn.roles.get(caller, role))


@for_users
def ask_edit(request: FormRequest, caller: Caller, role: str) -> Response:
    """The form with what can be changed."""
    found = request.keyturn.roles.get(caller, role)
    caller.check(Operation.UPDATE_ROLE)
    offered = _offered(request, caller)
    return _role_page(request, caller, found, _form_dialog(request, found, offered, *_shown(found, offered)))


@form
def edit(request: FormRequest, caller: Caller, role: str) -> Response:
    """Change it; everybody who has it notices at once."""

    def write(read: tuple[Role, Offered]) -> Response:
        found, offered = read
        key, name, chosen = _sent(request)
        hidden = found.permissions - {permission.id for permission, _ in offered}  # what the form did not offer stays
        request.keyturn.roles.update(caller, found.id, key, name, [*sorted(hidden), *chosen], found.revision)
        return redirect(request, "roles", found.id, done="role-changed")

    return Edit(
        lambda: (request.keyturn.roles.get(caller, role), _offered(request, caller)),
        lambda read: _shown(*read),
        _sent(request),
        write,
        lambda read, values, problem: _role_page(
            request, caller, read[0], _form_dialog(request, read[0], read[1], *values), problem
        ),
    ).answer(request)


@for_users
def ask_delete(request: FormRequest, caller: Caller, role: str) -> Response:
    """The confirmation."""
    found = request.keyturn.roles.get(caller, role)
    caller.check(Operation.DELETE_ROLE)
    return _role_page(request, caller, found, _delete_dialog(request, found))


@form
def delete(request: FormRequest, caller: Caller, role: str) -> Response:
    """It is gone, and what it gave."""
    found = request.keyturn.roles.get(caller, role)

    def do() -> Response:
        request.keyturn.roles.delete(caller, found.id)
        return redirect(request, "roles", done="role-deleted")

    return unless_refused(
        do, lambda problem: _role_page(request, caller, found, _delete_dialog(request, found), problem)
    )


def _roles_page(
    request: FormRequest, caller: Caller, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    asked = window(request)
    found = request.keyturn.roles.page(caller, asked)
    values = {"roles": found.items, "pager": Pager(asked, found.total), "built_in": BUILT_IN}
    return page(request, "roles/list", values, caller=caller, dialog=dialog, problem=problem)


def _role_page(
    request: FormRequest, caller: Caller, role: Role, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    scoped_permissions = [ScopedPermission(permission) for permission in sorted(role.permissions)]
    values = {
        "role": role,
        "scoped_permissions": scoped_permissions,
        "names": Names(request, caller, None, scoped_permissions),
        "built_in": role.id in BUILT_IN,
        "everything": EVERY_PERMISSION in role.permissions,
    }
    return page(request, "roles/role", values, caller=caller, dialog=dialog, problem=problem)


def _offered(request: FormRequest, caller: Caller) -> Offered:
    """Read once for a request: the list of the form, what of it is chosen, and its version are of one moment."""
    return request.keyturn.services.permissions(caller)


def _form_dialog(
    request: FormRequest, role: Role | None, offered: Offered, key: str, name: str, chosen: list[str]
) -> Dialog:
    by_service: dict[str, list[object]] = {}
    for permission, service in offered:
        by_service.setdefault(service.name, []).append(permission)
    values = {"found": role, "key": key, "name": name, "chosen": set(chosen), "offered": by_service}
    back = link(request, "roles", *([role.id] if role else []))
    return Dialog("roles/form-dialog.html", back, values, version_of(_shown(role, offered)) if role else "")


def _delete_dialog(request: FormRequest, role: Role) -> Dialog:
    return Dialog("roles/delete-dialog.html", link(request, "roles", role.id))


def _shown(role: Role, offered: Offered) -> tuple[str, str, list[str]]:
    """What the form shows: of the permissions, those that it offers. So a form of somebody who came to see more of
    them is another one, and takes away none that it did not show."""
    return role.key, role.name, sorted(role.permissions & {permission.id for permission, _ in offered})


def _sent(request: FormRequest) -> tuple[str, str, list[str]]:
    return request.value("key") or "", request.value("name") or "", request.values("permissions")
