"""The user's browser: who is logged in there, and whether a form was really sent from a page of ours.

Sources: OWASP's pages on sessions and Cross-Site Request Forgery; RFC 6265bis on cookie prefixes.
"""

from __future__ import annotations

import base64
import binascii
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalicelib.core.credentials.wire_format import CredentialKind, recognise
from chalicelib.core.errors import Forbidden, Unauthenticated
from chalicelib.core.sessions import LIFETIME_MS

if TYPE_CHECKING:
    from chalicelib.core.authorization import Caller
    from chalicelib.core.operations.login import OpenedSession
    from chalicelib.oauth.message import Message

CONTEXT = "form"


def _is_secure(message: Message) -> bool:
    return message.oauth.issuer.startswith("https:")


def _cookie_name(message: Message) -> str:
    """With the prefix, no other host, and nobody on the wire, can set it; a browser takes it over https only."""
    return "__Host-keyturn" if _is_secure(message) else "keyturn"


def session_cookie(message: Message, opened: OpenedSession) -> str:
    """The header that makes the browser keep the session. Lax: services send users here by links."""
    secure = "; Secure" if _is_secure(message) else ""
    age = LIFETIME_MS // 1000
    return f"{_cookie_name(message)}={opened.secret}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"


def logged_in(message: Message) -> Caller | None:
    """Who is logged in in this browser. Raises Throttled or Unavailable."""
    try:
        cookies = SimpleCookie(message.request.headers.get("cookie", ""))
    except CookieError:
        return None
    cookie = cookies.get(_cookie_name(message))
    if cookie is None or recognise(cookie.value, CredentialKind.SESSION) is None:
        return None
    try:
        return message.keyturn.authentication.caller(cookie.value, message.origin)
    except Unauthenticated:
        return None


def require_own_page(message: Message) -> None:
    """Raises Forbidden unless a page of this installation sent the form."""
    sent_from = message.request.headers.get("origin") or message.request.headers.get("referer") or ""
    own = urlsplit(message.oauth.issuer)
    try:
        is_own = urlsplit(sent_from)[:2] == own[:2]
    except ValueError:  # no address at all
        is_own = False
    if not is_own:
        raise Forbidden("This form was not sent from a page of Keyturn. Nothing was changed.")


def proof(message: Message, caller: Caller, content: str) -> str:
    """Ties a form to this session and to what the page showed."""
    signature = message.keyturn.keyring.sign(_signed(caller, content), CONTEXT)
    return base64.urlsafe_b64encode(signature).decode()


def confirmed(message: Message) -> tuple[Caller, str]:
    """Who sent the form, and what the page showed when it asked.

    Raises Forbidden unless a page of this installation sent it, in the session for which that was made.
    """
    require_own_page(message)
    caller = logged_in(message)
    if caller is None:
        raise Forbidden("You are no longer logged in. Go back to where you came from, and start again.")
    asked = message.value("asked") or ""
    try:
        signature = base64.urlsafe_b64decode(message.value("proof") or "")
    except (binascii.Error, ValueError):
        signature = b""
    if not message.keyturn.keyring.has_signed(_signed(caller, asked), signature, CONTEXT):
        raise Forbidden("This form is not the one that was shown to you. Go back and start again.")
    return caller, asked


def _signed(caller: Caller, content: str) -> bytes:
    return f"{caller.credential_id}\n{content}".encode()
