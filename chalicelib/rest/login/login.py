"""`/login`: a password or a passkey becomes a session; and the password itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.login.log_in import LoginAttempt
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.login.login_bodies import LoginBody, NewPassword
from chalicelib.rest.login.security_shapes import OPENED_SESSION, PASSKEY_OPTIONS
from chalicelib.web.errors import answer
from chalicelib.web.login_timing import evenly_refused

if TYPE_CHECKING:
    from chalice.app import Response


@operation(OPENED_SESSION, body=LoginBody, dry_run=False)
def log_in(call: Call) -> Response:
    body = call.body(LoginBody)
    attempt = LoginAttempt(body.login, body.password, body.code, body.passkey)
    with evenly_refused():
        return call.one(call.keyturn.login.log_in(attempt, call.origin))


@operation(PASSKEY_OPTIONS, dry_run=False)
def begin_passkey_login(call: Call) -> Response:
    return call.one(call.keyturn.login.passkey_options(call.origin.now))


@operation(body=NewPassword)
def set_password(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(NewPassword)
    call.keyturn.passwords.set(caller, user, body.password, body.current_password)
    return answer({})
