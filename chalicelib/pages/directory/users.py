"""Administration › Access Management › Users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid
from chalicelib.pages.directory.account_search import find_accounts, ticked
from chalicelib.pages.frame.paging import Pager, window
from chalicelib.pages.frame.render import Dialog, link, page, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.errors import Refusal
    from chalicelib.web.request import FormRequest

FIELDS = ("type", "login", "name", "email", "description", "owner")


@for_users
def show_users(request: FormRequest, caller: Caller) -> Response:
    """All accounts, or those that are searched for."""
    return _users_page(request, caller)


@for_users
def ask_new(request: FormRequest, caller: Caller) -> Response:
    """The form of a new account."""
    caller.check(Operation.CREATE_USER)
    filled_in = {**dict.fromkeys(FIELDS, ""), "type": request.value("type") or AccountType.USER.value}
    return _users_page(request, caller, _new_dialog(request, filled_in))


@form
def create(request: FormRequest, caller: Caller) -> Response:
    """The new account, on its own page."""
    filled_in = {name: request.value(name) or "" for name in FIELDS}

    def do() -> Response:
        try:
            type = AccountType(filled_in["type"])
        except ValueError:
            raise Invalid("type", "must be user or bot.") from None
        made = request.keyturn.accounts.create(
            caller,
            filled_in["login"],
            filled_in["name"],
            type,
            filled_in["owner"] or None,
            filled_in["description"],
            filled_in["email"],
        )
        return redirect(request, "users", made.id, "security", done="account-created")

    return unless_refused(do, lambda problem: _users_page(request, caller, _new_dialog(request, filled_in), problem))


def _users_page(
    request: FormRequest, caller: Caller, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    caller.check(Operation.LIST_USERS)
    asked = window(request)
    found = find_accounts(request, caller, asked, ticked(request))
    values = {
        "found": found,
        "owners": request.keyturn.accounts.owners_of(caller, found.page.items),
        "pager": Pager(asked, found.page.total),
    }
    return page(request, "users", values, caller=caller, dialog=dialog, problem=problem)


def _new_dialog(request: FormRequest, filled_in: Mapping[str, str]) -> Dialog:
    return Dialog("users/new-dialog.html", link(request, "users"), {"filled_in": filled_in})
