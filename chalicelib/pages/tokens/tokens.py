"""Permanent tokens, in the seed's two procedures: generate one, for oneself or for another; and delete it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.paging import Window
from chalicelib.core.tokens.expired_tokens import require_not_ended
from chalicelib.core.tokens.manage import UNCHANGED
from chalicelib.pages.directory.account import account_page, read
from chalicelib.pages.directory.service_names import Names, services_in
from chalicelib.pages.frame.charts import timeline
from chalicelib.pages.frame.days import day_of, end
from chalicelib.pages.frame.editing import Edit, version_of
from chalicelib.pages.frame.grace_periods import GRACES, chosen_grace
from chalicelib.pages.frame.render import Dialog, link, redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused
from chalicelib.pages.tokens.details import (
    NOTHING_FILLED,
    SHOWN,
    Texts,
    changed_details,
    details_in,
    placed,
    texts_of,
    texts_sent,
)
from chalicelib.pages.tokens.security import back, security_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.access.permissions import ScopedPermission
    from chalicelib.core.common.errors import Refusal
    from chalicelib.core.directory.service import Service
    from chalicelib.core.tokens.manage import OwnedToken
    from chalicelib.core.tokens.token import PermanentToken
    from chalicelib.web.request import FormRequest

OFFERED = 1_000  # services to choose from


@dataclass(frozen=True, slots=True)
class TokenForm:
    """A form about a token, as it is filled in."""

    name: str = ""
    scope: tuple[str, ...] = ()
    last_day: str = ""
    details: Texts = field(default_factory=NOTHING_FILLED.copy)

    @classmethod
    def read(cls, request: FormRequest) -> TokenForm:
        """What was sent. Raises Invalid."""
        name, last_day = request.value("name") or "", request.value("expiresOn") or ""
        return cls(name, tuple(request.values("scope")), last_day, texts_sent(request))

    @classmethod
    def of(cls, token: PermanentToken) -> TokenForm:
        """The token as it is."""
        return cls(token.name, token.scope, day_of(token.expires), texts_of(token.details))


EMPTY = TokenForm()


@for_users
def ask_new(request: FormRequest, caller: Caller, user: str) -> Response:
    """The dialog *New token*; or, if the caller's permissions do not suffice, what is missing."""
    account = read(request, caller, user)
    caller.check(Operation.CREATE_TOKEN, account.id)
    return security_page(request, caller, account, _new_dialog(request, caller, account))


@form
def create(request: FormRequest, caller: Caller, user: str) -> Response:
    """The new token, shown this once."""
    account = read(request, caller, user)
    filled = TokenForm.read(request)

    def do() -> Response:
        expires = end(filled.last_day, "expiresOn")
        tokens = request.keyturn.permanent_tokens
        made = tokens.create(caller, account.id, filled.name, filled.scope, expires, details_in(filled.details))
        dialog = Dialog("account/new-token-shown.html", back(request, account), {"made": made})
        return security_page(request, caller, account, dialog)

    def again(problem: Refusal) -> Response:
        dialog = _new_dialog(request, caller, account, filled)
        return security_page(request, caller, account, dialog, problem)

    return unless_refused(do, again)


@for_users
def show(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """All about one token."""
    return _token_page(request, caller, read(request, caller, user), token)


@for_users
def ask_edit(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """The form with name and scope."""
    account = read(request, caller, user)
    caller.check(Operation.UPDATE_TOKEN, account.id)
    found = request.keyturn.permanent_tokens.get(caller, account.id, token)
    require_not_ended(found.token, caller.now)
    dialog = _edit_dialog(request, caller, found, TokenForm.of(found.token))
    return _token_page(request, caller, account, token, dialog)


@form
def edit(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """Rename or re-scope; the secret stays."""
    account = read(request, caller, user)
    filled = TokenForm.read(request)

    def write(found: OwnedToken) -> Response:
        before = TokenForm.of(found.token)
        # What stays as it is needs no permissions that include the owner's.
        details = changed_details(filled.details, before.details)
        changed = None if set(filled.scope) == set(before.scope) else filled.scope
        expires = UNCHANGED if filled.last_day == before.last_day else end(filled.last_day, "expiresOn")
        request.keyturn.permanent_tokens.update(
            caller, account.id, token, filled.name, changed, expires, details, found.token.revision
        )
        return redirect(request, "users", account.id, "security", "tokens", token, done="token-changed")

    return Edit(
        lambda: request.keyturn.permanent_tokens.get(caller, account.id, token),
        lambda found: TokenForm.of(found.token),
        filled,
        write,
        lambda found, values, problem: _token_page(
            request, caller, account, token, _edit_dialog(request, caller, found, values), problem
        ),
    ).answer(request)


@for_users
def ask_rotate(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """The dialog that asks for the grace period of the current secret."""
    account = read(request, caller, user)
    caller.check(Operation.ROTATE_TOKEN, account.id)
    found = request.keyturn.permanent_tokens.get(caller, account.id, token)
    require_not_ended(found.token, caller.now)
    missing_permissions = request.keyturn.permanent_tokens.missing_permissions(caller, account.id)
    dialog = (
        _missing_permissions_dialog(request, caller, account, missing_permissions)
        if missing_permissions
        else _rotate_dialog(request, found)
    )
    return _token_page(request, caller, account, token, dialog)


@form
def rotate(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """The new secret, shown this once."""
    account = read(request, caller, user)
    found = request.keyturn.permanent_tokens.get(caller, account.id, token)

    def do() -> Response:
        made = request.keyturn.rotation.rotate(caller, account.id, token, chosen_grace(request))
        dialog = Dialog("account/new-token-shown.html", _address(request, made), {"made": made})
        return _token_page(request, caller, account, token, dialog)

    return unless_refused(
        do,
        lambda problem: _token_page(request, caller, account, token, _rotate_dialog(request, found), problem),
    )


@for_users
def ask_delete(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    found = request.keyturn.permanent_tokens.get(caller, account.id, token)
    dialog = Dialog("account/delete-token-dialog.html", back(request, account), {"found": found})
    return security_page(request, caller, account, dialog)


@form
def delete(request: FormRequest, caller: Caller, user: str, token: str) -> Response:
    """It is refused from now on."""
    account = read(request, caller, user)
    request.keyturn.permanent_tokens.delete(caller, account.id, token)
    return redirect(request, "users", account.id, "security", done="token-deleted")


def _token_page(
    request: FormRequest,
    caller: Caller,
    user: User,
    token_id: str,
    dialog: Dialog | None = None,
    problem: Refusal | None = None,
) -> Response:
    found = request.keyturn.permanent_tokens.get(caller, user.id, token_id)
    services = request.keyturn.services.resolve(found.token.scope)
    flags = request.keyturn.permanent_tokens.flags([found], services, request.origin.now)
    values = {
        "found": found,
        "placed": placed(found.token.details),
        "authors": request.keyturn.accounts.known(caller, [found.token.author_id]),
        "services": request.keyturn.services.shown(caller, services, user.id),
        "flags": flags[found.token.id],
        "timeline": timeline(found.token.secrets, request.origin.now, found.token.expires),
    }
    return account_page(request, caller, user, "token", values, dialog, problem)


def _new_dialog(request: FormRequest, caller: Caller, user: User, filled: TokenForm = EMPTY) -> Dialog:
    missing_permissions = request.keyturn.permanent_tokens.missing_permissions(caller, user.id)
    if missing_permissions:
        return _missing_permissions_dialog(request, caller, user, missing_permissions)
    offered = offered_services(request, caller)
    values = {"filled": filled, "offered": offered, "details": SHOWN}
    return Dialog("account/new-token-dialog.html", back(request, user), values)


def _edit_dialog(request: FormRequest, caller: Caller, found: OwnedToken, filled: TokenForm) -> Dialog:
    offered = offered_services(request, caller)
    known = {service.id for service in offered}
    kept = [id for id in found.token.scope if id not in known]  # deleted, or not to be seen
    there = services_in(request, caller, found.owner.id, [kept])
    values = {"filled": filled, "offered": offered, "kept": kept, "services": there, "found": found, "details": SHOWN}
    version = version_of(TokenForm.of(found.token))
    return Dialog("account/edit-token-dialog.html", _address(request, found), values, version)


def _rotate_dialog(request: FormRequest, found: OwnedToken) -> Dialog:
    return Dialog("account/rotate-token-dialog.html", _address(request, found), {"found": found, "graces": GRACES})


def _missing_permissions_dialog(
    request: FormRequest, caller: Caller, user: User, missing_permissions: Sequence[ScopedPermission]
) -> Dialog:
    visible = [scoped_permission for scoped_permission in missing_permissions if caller.may_name(scoped_permission)]
    values = {
        "missing_permissions": visible,
        "hidden": len(visible) < len(missing_permissions),
        "names": Names(request, caller, user.id, visible),
    }
    return Dialog("account/missing-permissions-dialog.html", back(request, user), values)


def _address(request: FormRequest, found: OwnedToken) -> str:
    return link(request, "users", found.owner.id, "security", "tokens", found.token.id)


def offered_services(request: FormRequest, caller: Caller) -> list[Service]:
    """Those that a scope may name."""
    return list(request.keyturn.services.page(caller, Window(0, OFFERED)).items)
