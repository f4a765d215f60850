"""What stands between a front and the views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.web.errors import from_framework

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Request, Response

    GetResponse = Callable[[Request], Response]


def in_our_form(request: Request, get_response: GetResponse) -> Response:
    """Chalice's own refusals in the form of ours."""
    response = get_response(request)
    if isinstance(response.body, dict) and "Code" in response.body:
        headers = response.headers
        response = from_framework(response.status_code, response.body["Message"])
        response.headers.update(headers)
    return response
