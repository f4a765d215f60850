"""Second factors: pair an authenticator app by a picture, add passkeys, renew recovery codes, turn it all off."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from markupsafe import Markup

from chalicelib.core.access.rules import Operation
from chalicelib.pages.frame import browser
from chalicelib.pages.frame.render import redirect
from chalicelib.pages.frame.views import for_users, form, unless_refused
from chalicelib.pages.login.authentication import authentication_page, dialog_of, read

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.errors import Refusal
    from chalicelib.core.login.second_factors import SecondFactorStatus
    from chalicelib.pages.frame.render import Dialog
    from chalicelib.web.request import FormRequest


@for_users
def ask_app(request: FormRequest, caller: Caller, user: str) -> Response:
    """What one needs for it. Nothing is made yet: a page that is only looked at changes nothing."""
    account = read(request, caller, user)
    caller.check(Operation.ADD_SECOND_FACTOR, account.id)
    return authentication_page(request, caller, account, dialog_of(request, account, "begin-app"))


@form
def pair_app(request: FormRequest, caller: Caller, user: str) -> Response:
    """A new secret for the app, as a picture and as a text; then the code by which the app proves that it has it."""
    account = read(request, caller, user)

    def do() -> Response:
        if not request.value("confirming"):
            pairing = request.keyturn.second_factors.begin_pairing(caller, account.id)
            values = {"picture": _picture(pairing.uri), "secret": pairing.secret}
            return authentication_page(request, caller, account, dialog_of(request, account, "pair-app", values))
        status = request.keyturn.second_factors.confirm_pairing(caller, account.id, request.value("code") or "")
        return _with_codes(request, caller, account, status, "Authenticator app paired")

    def again(problem: Refusal) -> Response:
        # Without the secret, which was shown before: the app has it by now, or a new one is needed.
        dialog = dialog_of(request, account, "pair-app", {"picture": None, "secret": None})
        return authentication_page(request, caller, account, dialog, problem)

    return unless_refused(do, again)


@for_users
def ask_passkey(request: FormRequest, caller: Caller, user: str) -> Response:
    """What the browser needs to make a passkey."""
    account = read(request, caller, user)
    caller.check(Operation.ADD_SECOND_FACTOR, account.id)
    return authentication_page(request, caller, account, _passkey_dialog(request, caller, account))


@form
def add_passkey(request: FormRequest, caller: Caller, user: str) -> Response:
    """The account has the passkey that the browser made."""
    account = read(request, caller, user)

    def do() -> Response:
        credential = browser.credential(request, "credential")
        name = request.value("name") or ""
        status = request.keyturn.second_factors.add_passkey(caller, account.id, name, credential)
        return _with_codes(request, caller, account, status, "Passkey added")

    return unless_refused(
        do,
        lambda problem: authentication_page(
            request, caller, account, _passkey_dialog(request, caller, account), problem
        ),
    )


@for_users
def ask_remove(request: FormRequest, caller: Caller, user: str, passkey: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    caller.check(Operation.REMOVE_SECOND_FACTORS, account.id)
    stored = request.keyturn.second_factors.status(caller, account.id).authenticators
    name = next((each.name for each in stored.passkeys if each.id == passkey), "")
    dialog = dialog_of(request, account, "remove-passkey", {"id": passkey, "name": name})
    return authentication_page(request, caller, account, dialog)


@form
def remove_passkey(request: FormRequest, caller: Caller, user: str, passkey: str) -> Response:
    """It is refused from now on."""
    account = read(request, caller, user)
    request.keyturn.second_factors.remove_passkey(caller, account.id, passkey)
    return redirect(request, "users", account.id, "authentication", done="passkey-removed")


@for_users
def ask_codes(request: FormRequest, caller: Caller, user: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    caller.check(Operation.ADD_SECOND_FACTOR, account.id)
    return authentication_page(request, caller, account, dialog_of(request, account, "renew-codes"))


@form
def renew_codes(request: FormRequest, caller: Caller, user: str) -> Response:
    """New recovery codes, shown this once; the old ones are refused."""
    account = read(request, caller, user)
    status = request.keyturn.second_factors.renew_recovery_codes(caller, account.id)
    return _with_codes(request, caller, account, status, "New recovery codes")


@for_users
def ask_off(request: FormRequest, caller: Caller, user: str) -> Response:
    """The confirmation."""
    account = read(request, caller, user)
    caller.check(Operation.REMOVE_SECOND_FACTORS, account.id)
    return authentication_page(request, caller, account, dialog_of(request, account, "two-factor-off"))


@form
def turn_off(request: FormRequest, caller: Caller, user: str) -> Response:
    """The password alone is left, and no application password."""
    account = read(request, caller, user)
    request.keyturn.second_factors.turn_off(caller, account.id)
    return redirect(request, "users", account.id, "authentication", done="two-factor-off")


def _with_codes(request: FormRequest, caller: Caller, user: User, status: SecondFactorStatus, title: str) -> Response:
    """Says that it is done; with recovery codes, if some were made."""
    dialog = dialog_of(request, user, "codes-shown", {"title": title, "codes": status.recovery_codes})
    return authentication_page(request, caller, user, dialog)


def _passkey_dialog(request: FormRequest, caller: Caller, user: User) -> Dialog:
    options = request.keyturn.second_factors.passkey_options(caller, user.id)
    return dialog_of(request, user, "passkey", {"options": json.dumps(options), "filled_name": request.value("name")})


def _picture(uri: str) -> Markup:
    """The QR code, as a part of the page."""
    import segno

    text = io.BytesIO()
    segno.make(uri, error="m").save(text, kind="svg", xmldecl=False, svgns=True, scale=5, omitsize=True, nl=False)
    return Markup(text.getvalue().decode())  # noqa: S704 - squares, made by a library
