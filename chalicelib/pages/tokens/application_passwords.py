"""Application passwords: what clients get that know no second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.pages.directory.account import read
from chalicelib.pages.frame.render import Dialog, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused
from chalicelib.pages.tokens.security import back, security_page

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.web.request import FormRequest


@for_users
def ask_new(request: FormRequest, caller: Caller, user: str) -> Response:
    """The dialog *New password*."""
    account = read(request, caller, user)
    caller.check(Operation.CREATE_APPLICATION_PASSWORD, account.id)
    return security_page(request, caller, account, _new_dialog(request, account))


@form
def create(request: FormRequest, caller: Caller, user: str) -> Response:
    """The new application password, shown this once."""
    account = read(request, caller, user)
    name = request.value("name") or ""

    def do() -> Response:
        made = request.keyturn.application_passwords.create(caller, account.id, name)
        dialog = Dialog("account/new-password-shown.html", back(request, account), {"made": made})
        return security_page(request, caller, account, dialog)

    return unless_refused(
        do, lambda problem: security_page(request, caller, account, _new_dialog(request, account, name), problem)
    )


@for_users
def ask_delete(request: FormRequest, caller: Caller, user: str, password: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    found = request.keyturn.application_passwords.get(caller, account.id, password)
    dialog = Dialog("account/delete-password-dialog.html", back(request, account), {"found": found})
    return security_page(request, caller, account, dialog)


@form
def delete(request: FormRequest, caller: Caller, user: str, password: str) -> Response:
    """It is refused from now on."""
    account = read(request, caller, user)
    request.keyturn.application_passwords.delete(caller, account.id, password)
    return redirect(request, "users", account.id, "security", done="application-password-deleted")


def _new_dialog(request: FormRequest, user: User, name: str = "") -> Dialog:
    return Dialog("account/new-password-dialog.html", back(request, user), {"filled_name": name})
