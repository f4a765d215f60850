"""`/oauth2/login`: the form that logs a user in on the way to a service."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from authlib.oauth2 import OAuth2Error

from chalicelib.core.errors import Forbidden, Invalid, LoginRefused, SecondFactorRequired
from chalicelib.core.operations.login import LoginAttempt
from chalicelib.oauth import authorization, browser, device, routes
from chalicelib.oauth.server import Server
from chalicelib.oauth.views import for_people
from chalicelib.rest.login import evenly_refused

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.oauth.message import Message


@for_people
def log_in(message: Message) -> Response:
    browser.require_own_page(message)
    attempt = LoginAttempt(message.value("login"), message.value("password"), message.value("code"))
    if attempt.login is None or attempt.password is None:
        raise Invalid("login" if attempt.login is None else "password", "is required.")
    try:
        with evenly_refused():
            opened = message.keyturn.login.log_in(attempt, message.origin)
    except (LoginRefused, SecondFactorRequired) as refusal:
        return _again(message, str(refusal), attempt.login)
    response = redirect(message)
    response.headers["Set-Cookie"] = browser.session_cookie(message, opened)
    return response


def redirect(message: Message) -> Response:
    """On to where the user came from: one of our own two pages, and nowhere else."""

    page, query = _next(message)
    location = f"{message.oauth.issuer}{page}?{query}"
    response: Response = Server(message).handle_response(303, "", [("Location", location)])
    return response


def _next(message: Message) -> tuple[str, str]:
    page, _, query = (message.value("next") or "").partition("?")
    pages = {"auth": routes.AUTHORIZATION, "device": routes.DEVICE}
    if page not in pages or not query.isascii() or not query.isprintable():
        raise Invalid("next", "must lead to the page that asked for the login.")
    return pages[page], query


def _again(message: Message, problem: str, login: str) -> Response:
    page, query = _next(message)
    pairs = parse_qsl(query, keep_blank_values=True)
    if page == routes.DEVICE:
        return device.login_page(message, dict(pairs).get("user_code", ""), problem, login, 401)
    try:
        asked = authorization.parse(message, pairs)
    except OAuth2Error:
        raise Forbidden("The service's request is not valid. Go back to the service, and start again.") from None
    return authorization.login_page(message, asked, problem, login, 401)
