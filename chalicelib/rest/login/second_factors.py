"""`/users/{user}/twoFactorAuthentication` and `/users/{user}/passkeys`: what else people prove at login.

Both begin with an empty POST, whose answer is for the app or the browser, and end with a POST of what that
says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.login.login_bodies import PairingBody, PasskeyBody
from chalicelib.rest.login.security_shapes import PAIRED, PASSKEY, SECOND_FACTORS, SecondFactorView
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Response


@operation(SECOND_FACTORS)
def get_status(call: Call, user: str) -> Response:
    return call.one(SecondFactorView(call.keyturn.second_factors.status(call.caller(), user)))


@operation(PAIRED, body=PairingBody)
def pair(call: Call, user: str) -> Response:
    caller = call.caller()
    body, factors = call.body(PairingBody), call.keyturn.second_factors
    if body.code is not None:
        return call.one(SecondFactorView(factors.confirm_pairing(caller, user, body.code)))
    pairing = factors.begin_pairing(caller, user)
    return call.one(SecondFactorView(pairing.status, pairing))


@operation(PAIRED)
def renew_recovery_codes(call: Call, user: str) -> Response:
    return call.one(SecondFactorView(call.keyturn.second_factors.renew_recovery_codes(call.caller(), user)))


@operation()
def turn_off(call: Call, user: str) -> Response:
    call.keyturn.second_factors.turn_off(call.caller(), user)
    return answer({})


@operation(PASSKEY, collection="passkeys")
def list_passkeys(call: Call, user: str) -> Response:
    window = call.window()
    passkeys = call.keyturn.second_factors.status(call.caller(), user).authenticators.passkeys
    return call.many(passkeys[window.skip : window.skip + window.top], window, len(passkeys))


@operation(PAIRED, body=PasskeyBody)
def add_passkey(call: Call, user: str) -> Response:
    caller = call.caller()
    body, factors = call.body(PasskeyBody), call.keyturn.second_factors
    if body.credential is not None:
        return call.one(SecondFactorView(factors.add_passkey(caller, user, body.name, body.credential)))
    options = factors.passkey_options(caller, user)
    return call.one(SecondFactorView(factors.status(caller, user), passkey_options=options))


@operation()
def remove_passkey(call: Call, user: str, passkey: str) -> Response:
    call.keyturn.second_factors.remove_passkey(call.caller(), user, passkey)
    return answer({})
