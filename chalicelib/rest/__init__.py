"""The REST API, by Hub's contract: it parses, asks the core, renders; it decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.routes import ROUTES
from chalicelib.web import routing

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Chalice, Request, Response


def register(app: Chalice) -> None:
    """Add every resource to the app."""
    app.register_middleware(_in_our_form, "http")
    routing.register(app, ROUTES, __name__)


def _in_our_form(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Chalice's own refusals (such as a method that a path does not have) in the form of ours."""
    response = get_response(request)
    if isinstance(response.body, dict) and "Code" in response.body:
        from chalicelib.web.errors import from_framework

        headers = response.headers
        response = from_framework(response.status_code, response.body["Message"])
        response.headers.update(headers)
    return response
