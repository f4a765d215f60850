"""Administration › Access Management › Roles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.authorization import Operation
from chalicelib.core.permissions import EVERY_PERMISSION, Power
from chalicelib.core.roles import REGISTERED_USER, SYSTEM_ADMIN
from chalicelib.pages.access import Names
from chalicelib.pages.editing import Edit, version_of
from chalicelib.pages.paging import Pager, window
from chalicelib.pages.render import Dialog, link, page, redirect
from chalicelib.pages.views import for_users, form, unless_refused

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.caller import Caller
    from chalicelib.core.errors import Refusal
    from chalicelib.core.roles import Role
    from chalicelib.message import Message

BUILT_IN = (SYSTEM_ADMIN, REGISTERED_USER)


@for_users
def show_roles(message: Message, caller: Caller) -> Response:
    """All roles."""
    return _roles_page(message, caller)


@for_users
def ask_new(message: Message, caller: Caller) -> Response:
    """The form of a new role."""
    caller.check(Operation.CREATE_ROLE)
    return _roles_page(message, caller, _form_dialog(message, caller, None, "", "", []))


@form
def create(message: Message, caller: Caller) -> Response:
    """The new role, on its own page."""

    def do() -> Response:
        made = message.keyturn.roles.create(caller, *_sent(message))
        return redirect(message, "roles", made.id, done="role-created")

    def again(problem: Refusal) -> Response:
        return _roles_page(message, caller, _form_dialog(message, caller, None, *_sent(message)), problem)

    return unless_refused(do, again)


@for_users
def show_role(message: Message, caller: Caller, role: str) -> Response:
    """What it gives."""
    return _role_page(message, caller, message.keyturn.roles.get(caller, role))


@for_users
def ask_edit(message: Message, caller: Caller, role: str) -> Response:
    """The form with what can be changed."""
    found = message.keyturn.roles.get(caller, role)
    caller.check(Operation.UPDATE_ROLE)
    return _role_page(message, caller, found, _form_dialog(message, caller, found, *_shown(message, caller, found)))


@form
def edit(message: Message, caller: Caller, role: str) -> Response:
    """Change it; everybody who has it notices at once."""

    def write(found: Role) -> Response:
        key, name, chosen = _sent(message)
        _, _, offered = _shown(message, caller, found)
        permissions = [*sorted(found.permissions.difference(offered)), *chosen]  # what the form could not offer stays
        message.keyturn.roles.update(caller, found.id, key, name, permissions, found.revision)
        return redirect(message, "roles", found.id, done="role-changed")

    return Edit(
        lambda: message.keyturn.roles.get(caller, role),
        lambda found: _shown(message, caller, found),
        _sent(message),
        write,
        lambda found, values, problem: _role_page(
            message, caller, found, _form_dialog(message, caller, found, *values), problem
        ),
    ).answer(message)


@for_users
def ask_delete(message: Message, caller: Caller, role: str) -> Response:
    """The confirmation."""
    found = message.keyturn.roles.get(caller, role)
    caller.check(Operation.DELETE_ROLE)
    return _role_page(message, caller, found, _delete_dialog(message, found))


@form
def delete(message: Message, caller: Caller, role: str) -> Response:
    """It is gone, and what it gave."""
    found = message.keyturn.roles.get(caller, role)

    def do() -> Response:
        message.keyturn.roles.delete(caller, found.id)
        return redirect(message, "roles", done="role-deleted")

    return unless_refused(
        do, lambda problem: _role_page(message, caller, found, _delete_dialog(message, found), problem)
    )


def _roles_page(
    message: Message, caller: Caller, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    asked = window(message)
    found = message.keyturn.roles.page(caller, asked)
    values = {"roles": found.items, "pager": Pager(asked, found.total), "built_in": BUILT_IN}
    return page(message, "roles/list", values, caller=caller, dialog=dialog, problem=problem)


def _role_page(
    message: Message, caller: Caller, role: Role, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    powers = [Power(permission) for permission in sorted(role.permissions)]
    values = {
        "role": role,
        "powers": powers,
        "names": Names(message, caller, None, powers),
        "built_in": role.id in BUILT_IN,
        "everything": EVERY_PERMISSION in role.permissions,
    }
    return page(message, "roles/role", values, caller=caller, dialog=dialog, problem=problem)


def _form_dialog(message: Message, caller: Caller, role: Role | None, key: str, name: str, chosen: list[str]) -> Dialog:
    offered: dict[str, list[object]] = {}
    for permission, service in message.keyturn.services.permissions(caller):
        offered.setdefault(service.name, []).append(permission)
    values = {"found": role, "key": key, "name": name, "chosen": set(chosen), "offered": offered}
    back = link(message, "roles", *([role.id] if role else []))
    return Dialog("roles/form-dialog.html", back, values, version_of(_shown(message, caller, role)) if role else "")


def _delete_dialog(message: Message, role: Role) -> Dialog:
    return Dialog("roles/delete-dialog.html", link(message, "roles", role.id))


def _shown(message: Message, caller: Caller, role: Role) -> tuple[str, str, list[str]]:
    """What the form shows: of the permissions, those that it offers. So a form of somebody who came to see more of
    them is another one, and takes away none that it did not show."""
    offered = {permission.id for permission, _ in message.keyturn.services.permissions(caller)}
    return role.key, role.name, sorted(role.permissions & offered)


def _sent(message: Message) -> tuple[str, str, list[str]]:
    return message.value("key") or "", message.value("name") or "", message.values("permissions")
