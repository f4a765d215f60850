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
    from chalicelib.web.request import Message


@for_users
def ask_app(message: Message, caller: Caller, user: str) -> Response:
    """What one needs for it. Nothing is made yet: a page that is only looked at changes nothing."""
    account = read(message, caller, user)
    caller.check(Operation.ADD_SECOND_FACTOR, account.id)
    return authentication_page(message, caller, account, dialog_of(message, account, "begin-app"))


@form
def pair_app(message: Message, caller: Caller, user: str) -> Response:
    """A new secret for the app, as a picture and as a text; then the code by which the app proves that it has it."""
    account = read(message, caller, user)

    def do() -> Response:
        if not message.value("confirming"):
            pairing = message.keyturn.second_factors.begin_pairing(caller, account.id)
            values = {"picture": _picture(pairing.uri), "secret": pairing.secret}
            return authentication_page(message, caller, account, dialog_of(message, account, "pair-app", values))
        status = message.keyturn.second_factors.confirm_pairing(caller, account.id, message.value("code") or "")
        return _with_codes(message, caller, account, status, "The authenticator app is paired")

    def again(problem: Refusal) -> Response:
        # Without the secret, which was shown before: the app has it by now, or a new one is needed.
        dialog = dialog_of(message, account, "pair-app", {"picture": None, "secret": None})
        return authentication_page(message, caller, account, dialog, problem)

    return unless_refused(do, again)


@for_users
def ask_passkey(message: Message, caller: Caller, user: str) -> Response:
    """What the browser needs to make a passkey."""
    account = read(message, caller, user)
    caller.check(Operation.ADD_SECOND_FACTOR, account.id)
    return authentication_page(message, caller, account, _passkey_dialog(message, caller, account))


@form
def add_passkey(message: Message, caller: Caller, user: str) -> Response:
    """The account has the passkey that the browser made."""
    account = read(message, caller, user)

    def do() -> Response:
        credential = browser.credential(message, "credential")
        name = message.value("name") or ""
        status = message.keyturn.second_factors.add_passkey(caller, account.id, name, credential)
        return _with_codes(message, caller, account, status, "The passkey is added")

    return unless_refused(
        do,
        lambda problem: authentication_page(
            message, caller, account, _passkey_dialog(message, caller, account), problem
        ),
    )


@for_users
def ask_remove(message: Message, caller: Caller, user: str, passkey: str) -> Response:
    """The confirmation."""
    account = read(message, caller, user)
    caller.check(Operation.REMOVE_SECOND_FACTORS, account.id)
    stored = message.keyturn.second_factors.status(caller, account.id).authenticators
    name = next((each.name for each in stored.passkeys if each.id == passkey), "")
    dialog = dialog_of(message, account, "remove-passkey", {"id": passkey, "name": name})
    return authentication_page(message, caller, account, dialog)


@form
def remove_passkey(message: Message, caller: Caller, user: str, passkey: str) -> Response:
    """It is refused from now on."""
    account = read(message, caller, user)
    message.keyturn.second_factors.remove_passkey(caller, account.id, passkey)
    return redirect(message, "users", account.id, "authentication", done="passkey-removed")


@for_users
def ask_codes(message: Message, caller: Caller, user: str) -> Response:
    """The confirmation."""
    account = read(message, caller, user)
    caller.check(Operation.ADD_SECOND_FACTOR, account.id)
    return authentication_page(message, caller, account, dialog_of(message, account, "renew-codes"))


@form
def renew_codes(message: Message, caller: Caller, user: str) -> Response:
    """New recovery codes, shown this once; the old ones are refused."""
    account = read(message, caller, user)
    status = message.keyturn.second_factors.renew_recovery_codes(caller, account.id)
    return _with_codes(message, caller, account, status, "New recovery codes")


@for_users
def ask_off(message: Message, caller: Caller, user: str) -> Response:
    """The confirmation."""
    account = read(message, caller, user)
    caller.check(Operation.REMOVE_SECOND_FACTORS, account.id)
    return authentication_page(message, caller, account, dialog_of(message, account, "two-factor-off"))


@form
def turn_off(message: Message, caller: Caller, user: str) -> Response:
    """The password alone is left, and no application password."""
    account = read(message, caller, user)
    message.keyturn.second_factors.turn_off(caller, account.id)
    return redirect(message, "users", account.id, "authentication", done="two-factor-off")


def _with_codes(message: Message, caller: Caller, user: User, status: SecondFactorStatus, title: str) -> Response:
    """Says that it is done; with recovery codes, if some were made."""
    dialog = dialog_of(message, user, "codes-shown", {"title": title, "codes": status.recovery_codes})
    return authentication_page(message, caller, user, dialog)


def _passkey_dialog(message: Message, caller: Caller, user: User) -> Dialog:
    options = message.keyturn.second_factors.passkey_options(caller, user.id)
    return dialog_of(message, user, "passkey", {"options": json.dumps(options), "filled_name": message.value("name")})


def _picture(uri: str) -> Markup:
    """The QR code, as a part of the page."""
    import segno

    text = io.BytesIO()
    segno.make(uri, error="m").save(text, kind="svg", xmldecl=False, svgns=True, scale=5, omitsize=True, nl=False)
    return Markup(text.getvalue().decode())  # noqa: S704 - squares, made by a library
