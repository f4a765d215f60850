"""Refresh tokens and approved scopes: what OAuth 2.0 left on an account, to be ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.pages.directory.account import read
from chalicelib.pages.directory.service_names import services_in
from chalicelib.pages.frame.render import Dialog, redirect
from chalicelib.pages.frame.views import for_users, form
from chalicelib.pages.tokens.security import back, security_page

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.web.request import Message


@for_users
def ask_delete(message: Message, caller: Caller, user: str, token: str) -> Response:
    """The confirmation."""
    account = read(message, caller, user)
    found = message.keyturn.oauth.delegations.get(caller, account.id, token).delegation
    client = services_in(message, caller, account.id, [[found.client_id]]).get(found.client_id)
    dialog = Dialog("account/delete-refresh-token-dialog.html", back(message, account), {"client": client})
    return security_page(message, caller, account, dialog)


@form
def delete(message: Message, caller: Caller, user: str, token: str) -> Response:
    """It ends, and every access token that came of it."""
    account = read(message, caller, user)
    message.keyturn.oauth.delegations.delete(caller, account.id, token)
    return redirect(message, "users", account.id, "security", done="refresh-token-deleted")


@for_users
def ask_withdraw(message: Message, caller: Caller, user: str, approval: str) -> Response:
    """The confirmation."""
    account = read(message, caller, user)
    found = message.keyturn.oauth.approved_scopes.get(caller, account.id, approval).approval
    client = services_in(message, caller, account.id, [[found.client_id]]).get(found.client_id)
    dialog = Dialog("account/withdraw-scope-dialog.html", back(message, account), {"client": client})
    return security_page(message, caller, account, dialog)


@form
def withdraw(message: Message, caller: Caller, user: str, approval: str) -> Response:
    """It ends, and everything under it."""
    account = read(message, caller, user)
    message.keyturn.oauth.approved_scopes.delete(caller, account.id, approval)
    return redirect(message, "users", account.id, "security", done="scope-withdrawn")
