"""The user's browser: who is logged in there, and whether a form was really sent from a page of ours.

Sources: OWASP's pages on sessions and Cross-Site Request Forgery; RFC 6265bis on cookie prefixes.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, Refusal, Unauthenticated
from chalicelib.core.login.session import LIFETIME_MS
from chalicelib.core.login.sessions import CURRENT
from chalicelib.core.secrets.token_format import CredentialKind, recognise
from chalicelib.telemetry import log_fields

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.login.log_in import OpenedSession
    from chalicelib.core.login.passkeys import JsonObject
    from chalicelib.web.request import FormRequest

CONTEXT = "form"
PAGE = "a page of this session"


class LoginNeeded(Refusal):
    """Nobody is logged in in this browser; the way on leads through the login page."""


def address(request: FormRequest) -> str:
    """Where browsers find Keyturn. Raises Conflict."""
    configured = request.keyturn.settings.address
    if configured is None:
        raise Conflict("The pages are not configured: KEYTURN_ADDRESS is not set.")
    return configured


def is_secure(request: FormRequest) -> bool:
    """Whether browsers find Keyturn by https."""
    return address(request).startswith("https:")


def session_cookie(request: FormRequest, opened: OpenedSession) -> str:
    """The header that makes the browser keep the session. Lax: services send users here by links."""
    return _cookie(request, opened.secret, LIFETIME_MS // 1000)


def no_cookie(request: FormRequest) -> str:
    """The header that makes the browser forget the session."""
    return _cookie(request, "", 0)


def logged_in(request: FormRequest) -> Caller | None:
    """Who is logged in in this browser. Raises Throttled or Unavailable."""
    try:
        cookies = SimpleCookie(request.http.headers.get("cookie", ""))
    except CookieError:
        return None
    cookie = cookies.get(_cookie_name(request))
    if cookie is None or recognise(cookie.value, CredentialKind.SESSION) is None:
        return None
    try:
        caller = request.keyturn.authentication.caller(cookie.value, request.origin)
    except Unauthenticated:
        return None
    log_fields(account=caller.user.id, credential=caller.credential_id)
    return caller


def require_login(request: FormRequest) -> Caller:
    """Who is logged in. Raises LoginNeeded."""
    caller = logged_in(request)
    if caller is None:
        raise LoginNeeded("Log in first.")
    return caller


def end_session(request: FormRequest) -> None:
    """Whoever was logged in in this browser is no more; another session takes its place, or none."""
    caller = logged_in(request)
    if caller:
        with contextlib.suppress(Refusal):  # it is gone already
            request.keyturn.sessions.end(caller, caller.user.id, CURRENT)


def require_own_page(request: FormRequest) -> None:
    """Raises Forbidden unless a page of this installation sent the form."""
    sent_from = request.http.headers.get("origin") or request.http.headers.get("referer") or ""
    own = urlsplit(address(request))
    try:
        is_own = urlsplit(sent_from)[:2] == own[:2]
    except ValueError:  # no address at all
        is_own = False
    if not is_own:
        raise Forbidden("This form was not sent from a page of Keyturn. Nothing was changed.")


def proof(request: FormRequest, caller: Caller, content: str = PAGE) -> str:
    """Ties a form to this session and, where it asks for a decision, to what the page showed."""
    signature = request.keyturn.keyring.sign(_signed(caller, content), CONTEXT)
    return base64.urlsafe_b64encode(signature).decode()


def submitted(request: FormRequest) -> Caller:
    """Who sent the form.

    Raises Forbidden unless a page of this installation sent it, in the session for which that was made; LoginNeeded
    if there is no session at all.
    """
    require_own_page(request)
    caller = require_login(request)
    _require_proof(request, caller, PAGE)
    return caller


def confirmed(request: FormRequest) -> tuple[Caller, str]:
    """Who sent the form, and what the page showed when it asked for a decision. Raises Forbidden, as `submitted`."""
    require_own_page(request)
    caller, asked = logged_in(request), request.value("asked") or ""
    if caller is None:
        raise Forbidden("You are no longer logged in. Go back and start again.")
    _require_proof(request, caller, asked)
    return caller, asked


def credential(request: FormRequest, name: str) -> JsonObject:
    """What the browser made of a passkey, from a field that a script filled in. Raises Invalid."""
    try:
        made = json.loads(request.value(name) or "")
    except (ValueError, RecursionError):
        made = None
    if not isinstance(made, dict):
        raise Invalid(name, "must be the response that your browser created.")
    return made


def _require_proof(request: FormRequest, caller: Caller, content: str) -> None:
    try:
        signature = base64.urlsafe_b64decode(request.value("proof") or "")
    except (binascii.Error, ValueError):
        signature = b""
    if not request.keyturn.keyring.has_signed(_signed(caller, content), signature, CONTEXT):
        raise Forbidden("This form was changed or has expired. Go back and start again.")


def _signed(caller: Caller, content: str) -> bytes:
    return f"{caller.credential_id}\n{content}".encode()


def _cookie_name(request: FormRequest) -> str:
    """With the prefix, no other host, and nobody on the wire, can set it; a browser takes it over https only."""
    return "__Host-keyturn" if is_secure(request) else "keyturn"


def _cookie(request: FormRequest, value: str, age: int) -> str:
    secure = "; Secure" if is_secure(request) else ""
    return f"{_cookie_name(request)}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"
