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
    from chalicelib.web.request import FormRequest


@for_users
def ask_delete(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    found = request.keyturn.oauth.delegations.get(caller, account.id, token).delegation
    client = services_in(request, caller, account.id, [[found.client_id]]).get(found.client_id)
    dialog = Dialog("account/delete-refresh-token-dialog.html", back(request, account), {"client": client})
    return security_page(request, caller, account, dialog)


@form
def delete(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """It ends, and every access token that came of it."""
    account = read(request, caller, user)
    request.keyturn.oauth.delegations.delete(caller, account.id, token)
    return redirect(request, "users", account.id, "security", done="refresh-token-deleted")


@for_users
def ask_withdraw(request: FormRequest, caller: Caller, user: str, approval: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    found = request.keyturn.oauth.approved_scopes.get(caller, account.id, approval).approval
    client = services_in(request, caller, account.id, [[found.client_id]]).get(found.client_id)
    dialog = Dialog("account/withdraw-scope-dialog.html", back(request, account), {"client": client})
    return security_page(request, caller, account, dialog)


@form
def withdraw(request: FormRequest, caller: Caller, user: str, approval: str) -> Response:
    """It ends, and everything under it."""
    account = read(request, caller, user)
    request.keyturn.oauth.approved_scopes.delete(caller, account.id, approval)
    return redirect(request, "users", account.id, "security", done="scope-withdrawn")
