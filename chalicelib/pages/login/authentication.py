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
    from chalicelib.web.request import Message


def read(message: Message, caller: Caller, reference: str) -> User:
    """The account; also for its owner who has yet to add a second factor. Raises Forbidden or NotFound."""
    return message.keyturn.accounts.find(caller, reference, Operation.READ_SECOND_FACTORS)


@for_users
def show(message: Message, caller: Caller, user: str) -> Response:
    """The tab."""
    return authentication_page(message, caller, read(message, caller, user))


def authentication_page(
    message: Message, caller: Caller, user: User, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    """The tab, or a dialog on it."""
    stored = message.keyturn.second_factors.status(caller, user.id).authenticators
    sessions, asked = None, window(message)
    if caller.is_allowed_after_relogin(Operation.READ_SESSIONS, user.id):
        sessions = message.keyturn.sessions.page(caller, user.id, asked)
    values = {"stored": stored, "sessions": sessions, "pager": Pager(asked, sessions.total if sessions else 0)}
    return account_page(message, caller, user, "authentication", values, dialog, problem)


def dialog_of(message: Message, user: User, name: str, values: Mapping[str, object] | None = None) -> Dialog:
    """A dialog of this tab."""
    return Dialog(f"account/{name}-dialog.html", link(message, "users", user.id, "authentication"), values or {})


@for_users
def ask_password(message: Message, caller: Caller, user: str) -> Response:
    """The form with old and new password."""
    account = read(message, caller, user)
    caller.check(Operation.SET_PASSWORD, account.id)
    return authentication_page(message, caller, account, _password_dialog(message, caller, account))


@form
def set_password(message: Message, caller: Caller, user: str) -> Response:
    """The account logs in with it from now on; all its sessions have ended."""
    account = read(message, caller, user)

    def do() -> Response:
        password = message.value("password") or ""
        if password != (message.value("repeated") or ""):
            raise Invalid("repeated", "must be the same as the new password.")
        message.keyturn.passwords.set(caller, account.id, password, message.value("currentPassword"))
        if account.id == caller.user.id:
            return logged_out(message, "password-set")
        return redirect(message, "users", account.id, "authentication", done="password-set")

    return unless_refused(
        do,
        lambda problem: authentication_page(
            message, caller, account, _password_dialog(message, caller, account), problem
        ),
    )


def _password_dialog(message: Message, caller: Caller, user: User) -> Dialog:
    stored = message.keyturn.second_factors.status(caller, user.id).authenticators
    asks_for_current = user.id == caller.user.id and stored.password is not None
    return dialog_of(message, user, "password", {"asks_for_current": asks_for_current})


@for_users
def ask_end(message: Message, caller: Caller, user: str, session: str) -> Response:
    """The confirmation."""
    account = read(message, caller, user)
    return authentication_page(message, caller, account, dialog_of(message, account, "end-session", {"id": session}))


@form
def end_session(message: Message, caller: Caller, user: str, session: str) -> Response:
    """Whoever has it is logged out."""
    account = read(message, caller, user)
    message.keyturn.sessions.end(caller, account.id, session)
    if session == caller.credential_id:
        return logged_out(message, "logged-out")
    return redirect(message, "users", account.id, "authentication", done="session-ended")
