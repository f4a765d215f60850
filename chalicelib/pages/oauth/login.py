"""`/oauth2/login`: a user logs in on the way to a service."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from authlib.oauth2 import OAuth2Error

from chalicelib.core.common.errors import Forbidden, Invalid
from chalicelib.oauth import routes
from chalicelib.oauth.server import Server
from chalicelib.pages.frame.views import for_people
from chalicelib.pages.login.login import answered
from chalicelib.pages.oauth import authorization, device

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.pages.login.login import LoginForm
    from chalicelib.web.request import FormRequest


@for_people
def log_in(request: FormRequest) -> Response:
    return answered(request, _form(request), lambda: redirect(request))


def redirect(request: FormRequest) -> Response:
    """On to where the user came from: one of our own two pages, and nowhere else."""
    page, query = _next(request)
    location = f"{request.oauth.issuer}{page}?{query}"
    response: Response = Server(request).handle_response(303, "", [("Location", location)])
    return response


def _next(request: FormRequest) -> tuple[str, str]:
    page, _, query = (request.value("next") or "").partition("?")
    pages = {"auth": routes.AUTHORIZATION, "device": routes.DEVICE}
    if page not in pages or not query.isascii() or not query.isprintable():
        raise Invalid("next", "must lead to the page that asked for the login.")
    return pages[page], query


def _form(request: FormRequest) -> LoginForm:
    page, query = _next(request)
    pairs = parse_qsl(query, keep_blank_values=True)
    if page == routes.DEVICE:
        return device.login_form(request, dict(pairs).get("user_code", ""))
    try:
        return authorization.login_form(request, authorization.parse(request, pairs))
    except OAuth2Error:
        raise Forbidden("The service's request is not valid. Go back to the service, and start again.") from None
