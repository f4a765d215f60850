"""`/login`: a password or a passkey becomes a session; and the password itself."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chalicelib.core.errors import LoginRefused
from chalicelib.core.operations.login import LoginAttempt
from chalicelib.rest.bodies import LoginBody, NewPassword
from chalicelib.rest.endpoint import Call, operation
from chalicelib.rest.refusals import answer
from chalicelib.rest.security_shapes import OPENED_SESSION, PASSKEY_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalice.app import Response

# A refusal waits for the next multiple of this: what is read of an account that exists takes half a
# millisecond longer to read, and that must not be measurable (benchmarks/login_timing.py).
REFUSAL_SECONDS = 0.25


@operation(OPENED_SESSION, body=LoginBody, dry_run=False)
def log_in(call: Call) -> Response:
    body = call.body(LoginBody)
    attempt = LoginAttempt(body.login, body.password, body.code, body.passkey)
    with evenly_refused():
        return call.one(call.keyturn.login.log_in(attempt, call.origin))


@contextmanager
def evenly_refused() -> Iterator[None]:
    """A refused login takes a time that tells nothing."""
    began = time.monotonic()
    try:
        yield
    except LoginRefused:
        time.sleep(-(time.monotonic() - began) % REFUSAL_SECONDS)
        raise


@operation(PASSKEY_OPTIONS, dry_run=False)
def begin_passkey_login(call: Call) -> Response:
    return call.one(call.keyturn.login.passkey_options(call.origin.now))


@operation(body=NewPassword)
def set_password(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(NewPassword)
    call.keyturn.passwords.set(caller, user, body.password, body.current_password)
    return answer({})
