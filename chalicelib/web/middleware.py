"""What stands between a front and the views: what no view is asked about is answered here, in our form.

Nothing of a request is repeated: people put secrets into addresses.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from chalice.app import Response

from chalicelib.web.errors import SECURITY_HEADERS, from_framework

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalice.app import Request

    from chalicelib.web.routing import RouteTable, View

    GetResponse = Callable[[Request], Response]
    Middleware = Callable[[Request, GetResponse], Response]

NOTHING_THERE = "There is nothing at this address."
NO_SUCH_METHOD = "This address does not have this method."


def in_our_form(request: Request, get_response: GetResponse) -> Response:
    """Chalice's own refusals in the form of ours."""
    response = get_response(request)
    if isinstance(response.body, dict) and "Code" in response.body:
        headers = response.headers
        response = from_framework(response.status_code, response.body["Message"])
        response.headers.update(headers)
    return response


def within(table: RouteTable, not_found: View) -> Middleware:
    """Asks views only for what the table has. `not_found` makes the page for somebody who mistyped an address."""

    def answer(request: Request, get_response: GetResponse) -> Response:
        views = table.views.get(request.context.get("resourcePath") or "")
        if views is None:
            return not_found.load()(request) if _is_for_people(request) else nothing_there()
        if request.method in views:
            return get_response(request)
        if request.method == "HEAD" and "GET" in views:
            return _head(request, get_response)
        allow = {"Allow": allowed(views)}
        if request.method == "OPTIONS":
            headers = {name: value for name, value in SECURITY_HEADERS.items() if name != "Content-Type"}
            return Response("", {**headers, **allow}, HTTPStatus.NO_CONTENT)
        refused = from_framework(HTTPStatus.METHOD_NOT_ALLOWED, NO_SUCH_METHOD)
        refused.headers.update(allow)
        return refused

    return answer


def nothing_there() -> Response:
    """The answer to a program that asks for what there is not."""
    return from_framework(HTTPStatus.NOT_FOUND, NOTHING_THERE)


def allowed(methods: Iterable[str]) -> str:
    """All methods of a path that has these views, as `Allow` lists them."""
    return ", ".join(sorted({*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())}))


def _is_for_people(request: Request) -> bool:
    is_api = (request.context.get("path") or "").startswith("/api/")
    return not is_api and "text/html" in request.headers.get("accept", "")


def _head(request: Request, get_response: GetResponse) -> Response:
    """What GET answers, without its body (RFC 9110 section 9.3.2). Chalice takes the method from the context."""
    request.method = request.context["httpMethod"] = "GET"
    try:
        response = get_response(request)
    finally:
        request.method = request.context["httpMethod"] = "HEAD"
    response.headers["Content-Length"] = str(len(response.body.encode()))
    response.body = ""
    return response
