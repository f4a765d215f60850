"""An account: who it is, and what can be done to it as a whole. Its tabs share what is here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.pages.frame.editing import Edit, version_of
from chalicelib.pages.frame.render import Dialog, link, page, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.errors import Refusal
    from chalicelib.web.request import FormRequest


BAN, UNBAN = "ban", "unban"  # what the form wants


def account_page(
    request: FormRequest,
    caller: Caller,
    user: User,
    tab: str,
    values: Mapping[str, object],
    dialog: Dialog | None = None,
    problem: Refusal | None = None,
) -> Response:
    """A tab of the account's page."""
    owners = request.keyturn.accounts.owners_of(caller, [user])
    owned = user.owner is not None and user.owner.id in owners
    frame = {
        "user": user,
        "tab": tab,
        "own": user.id == caller.user.id,
        "owned": owned,
        "owner": owners[user.owner.id] if user.owner and owned else None,  # None also if they may not be seen
        "is_bot": user.type is AccountType.BOT,
    }
    return page(request, f"account/{tab}", {**frame, **values}, caller=caller, dialog=dialog, problem=problem)


def read(request: FormRequest, caller: Caller, reference: str) -> User:
    """The account, if the caller may see it. Raises Forbidden or NotFound."""
    return request.keyturn.accounts.find(caller, reference, Operation.READ_USER)


@for_users
def show(request: FormRequest, caller: Caller, user: str) -> Response:
    """Who the account is."""
    return _overview(request, caller, read(request, caller, user))


@for_users
def ask_edit(request: FormRequest, caller: Caller, user: str) -> Response:
    """The form with what can be changed."""
    account = read(request, caller, user)
    caller.check(Operation.EDIT_PROFILE, account.id)
    return _overview(request, caller, account, _edit_dialog(request, caller, account))


@form
def edit(request: FormRequest, caller: Caller, user: str) -> Response:
    """Change it."""
    filled_in = {name: request.value(name) or "" for name in ("login", "name", "email", "description", "owner")}

    def write(account: User) -> Response:
        change = _change(_current(request, caller, account), filled_in)
        request.keyturn.accounts.update(caller, account.id, change, account.revision)
        return redirect(request, "users", account.id, done="account-changed")

    return Edit(
        lambda: read(request, caller, user),
        lambda account: _current(request, caller, account),
        filled_in,
        write,
        lambda account, values, problem: _overview(
            request, caller, account, _edit_dialog(request, caller, account, values), problem
        ),
    ).answer(request)


@for_users
def ask_ban(request: FormRequest, caller: Caller, user: str) -> Response:
    """For what reason?"""
    account = read(request, caller, user)
    caller.check(Operation.UNBAN_USER if account.banned else Operation.BAN_USER, account.id)
    return _overview(request, caller, account, _ban_dialog(request, account))


@form
def ban(request: FormRequest, caller: Caller, user: str) -> Response:
    """Ban the account, or lift its ban."""
    wanted = request.value("wanted")
    if wanted not in (BAN, UNBAN):
        raise Invalid("wanted", "must say whether to ban the account or to lift its ban.")

    def write(account: User) -> Response:
        banned = wanted == BAN
        change = AccountChange(banned=banned, ban_reason=request.value("banReason") if banned else None)
        request.keyturn.accounts.update(caller, account.id, change, account.revision)
        return redirect(request, "users", account.id, done="account-banned" if banned else "account-unbanned")

    account = read(request, caller, user)
    caller.check(Operation.BAN_USER if wanted == BAN else Operation.UNBAN_USER, account.id)
    if account.banned is (wanted == BAN):  # the form came twice, or somebody was faster
        return redirect(request, "users", account.id)
    return Edit(
        lambda: read(request, caller, user),
        _ban_shown,
        (account.banned, account.ban_reason),
        write,
        lambda account, _, problem: _overview(request, caller, account, _ban_dialog(request, account), problem),
    ).answer(request)


@for_users
def ask_delete(request: FormRequest, caller: Caller, user: str) -> Response:
    """Really?"""
    account = read(request, caller, user)
    caller.check(Operation.DELETE_USER, account.id)
    return _overview(request, caller, account, _dialog(request, account, "delete"))


@form
def delete(request: FormRequest, caller: Caller, user: str) -> Response:
    """Delete the account."""
    account = read(request, caller, user)

    def do() -> Response:
        request.keyturn.accounts.delete(caller, account.id)
        return redirect(request, "users", done="account-deleted")

    return unless_refused(
        do, lambda problem: _overview(request, caller, account, _dialog(request, account, "delete"), problem)
    )


def _overview(
    request: FormRequest, caller: Caller, user: User, dialog: Dialog | None = None, problem: Refusal | None = None
) -> Response:
    values = {"last_used": request.keyturn.accounts.last_used(user)}
    return account_page(request, caller, user, "overview", values, dialog, problem)


def _dialog(request: FormRequest, user: User, name: str) -> Dialog:
    return Dialog(f"account/{name}-dialog.html", link(request, "users", user.id))


def _ban_dialog(request: FormRequest, user: User) -> Dialog:
    """It says what it wants, so that a form that was shown before never does the opposite."""
    values = {"wanted": UNBAN if user.banned else BAN}
    return Dialog("account/ban-dialog.html", link(request, "users", user.id), values, version_of(_ban_shown(user)))


def _ban_shown(user: User) -> tuple[bool, str | None]:
    return user.banned, user.ban_reason


def _edit_dialog(
    request: FormRequest, caller: Caller, user: User, filled_in: Mapping[str, str] | None = None
) -> Dialog:
    current = _current(request, caller, user)
    values = {"filled_in": current if filled_in is None else filled_in}
    return Dialog("account/edit-dialog.html", link(request, "users", user.id), values, version_of(current))


def _current(request: FormRequest, caller: Caller, user: User) -> dict[str, str]:
    owner = request.keyturn.accounts.owners_of(caller, [user]).get(user.owner.id) if user.owner else None
    return {
        "login": user.login,
        "name": user.name,
        "email": user.email or "",
        "description": user.description or "",
        "owner": getattr(owner, "login", owner.name) if owner else "",
    }


def _change(old: Mapping[str, str], new: Mapping[str, str]) -> AccountChange:
    """What was changed in the form, and nothing else: what somebody may not change, they need not."""

    def changed(name: str) -> str | None:
        return None if new[name] == old[name] else new[name]

    return AccountChange(
        login=changed("login"),
        name=changed("name"),
        email=changed("email"),
        description=changed("description"),
        owner=changed("owner"),  # an empty one is OWNERLESS
    )
