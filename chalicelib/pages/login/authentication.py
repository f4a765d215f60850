"""The tab *Login*: password, second factors, and where the account is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid
from chalicelib.pages.directory.account import account_page
from chalicelib.pages.frame.paging import Pager, window
from chalicelib.pages.frame.render import Dialog, link, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused
from chalicelib.pages.login.login import logged_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.errors import Refusal
    from chalicelib.web.request import FormRequest


def read(request: FormRequest, caller: Caller, reference: str) -> User:
    """The account; also for its owner who has yet to add a second factor. Raises Forbidden or NotFound."""
    return request.keyturn.accounts.find(caller, reference, Operation.READ_SECOND_FACTORS)


@for_users
def show(request: FormRequest, caller: Caller, user: str) -> Response:
    """The tab."""
    return authentication_page(request, caller, read(request, caller, user))


def authentication_page(
    request: FormRequest, caller: Caller, user: User, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    """The tab, or a dialog on it."""
    stored = request.keyturn.second_factors.status(caller, user.id).authenticators
    sessions, asked = None, window(request)
    if caller.is_allowed_after_relogin(Operation.READ_SESSIONS, user.id):
        sessions = request.keyturn.sessions.page(caller, user.id, asked)
    values = {"stored": stored, "sessions": sessions, "pager": Pager(asked, sessions.total if sessions else 0)}
    return account_page(request, caller, user, "authentication", values, dialog, problem)


def dialog_of(request: FormRequest, user: User, name: str, values: Mapping[str, object] | None = None) -> Dialog:
    """A dialog of this tab."""
    return Dialog(f"account/{name}-dialog.html", link(request, "users", user.id, "authentication"), values or {})


@for_users
def ask_password(request: FormRequest, caller: Caller, user: str) -> Response:
    """The form with old and new password."""
    account = read(request, caller, user)
    caller.check(Operation.SET_PASSWORD, account.id)
    return authentication_page(request, caller, account, _password_dialog(request, caller, account))


@form
def set_password(request: FormRequest, caller: Caller, user: str) -> Response:
    """The account logs in with it from now on; all its sessions have ended."""
    account = read(request, caller, user)

    def do() -> Response:
        password = request.value("password") or ""
        if password != (request.value("repeated") or ""):
            raise Invalid("repeated", "must be the same as the new password.")
        request.keyturn.passwords.set(caller, account.id, password, request.value("currentPassword"))
        if account.id == caller.user.id:
            return logged_out(request, "password-set")
        return redirect(request, "users", account.id, "authentication", done="password-set")

    return unless_refused(
        do,
        lambda problem: authentication_page(
            request, caller, account, _password_dialog(request, caller, account), problem
        ),
    )


def _password_dialog(request: FormRequest, caller: Caller, user: User) -> Dialog:
    stored = request.keyturn.second_factors.status(caller, user.id).authenticators
    asks_for_current = user.id == caller.user.id and stored.password is not None
    return dialog_of(request, user, "password", {"asks_for_current": asks_for_current})


@for_users
def ask_end(request: FormRequest, caller: Caller, user: str, session: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    return authentication_page(request, caller, account, dialog_of(request, account, "end-session", {"id": session}))


@form
def end_session(request: FormRequest, caller: Caller, user: str, session: str) -> Response:
    """Whoever has it is logged out."""
    account = read(request, caller, user)
    request.keyturn.sessions.end(caller, account.id, session)
    if session == caller.credential_id:
        return logged_out(request, "logged-out")
    return redirect(request, "users", account.id, "authentication", done="session-ended")
