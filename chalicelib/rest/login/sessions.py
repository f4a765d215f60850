"""`/users/{user}/sessions`: where an account is logged in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.login.security_shapes import SESSION
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Response


@operation(SESSION, collection="sessions")
def list_sessions(call: Call, user: str) -> Response:
    window = call.window()
    page = call.keyturn.sessions.page(call.caller(), user, window)
    return call.many(page.items, window, page.total)


@operation()
def end_session(call: Call, user: str, session: str) -> Response:
    call.keyturn.sessions.end(call.caller(), user, session)
    return answer({})
