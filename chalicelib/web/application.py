"""A request over HTTP, answered by the views that Chalice registers, without a gateway in front."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from chalice.app import MultiDict, Request

from chalicelib import telemetry
from chalicelib.core.common.errors import Invalid
from chalicelib.web.errors import failed, refused
from chalicelib.web.request import MAX_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalice.app import Response

    from chalicelib.web.middleware import GetResponse, Middleware
    from chalicelib.web.routing import RouteTable


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """`path` and `query` as they were sent; names of headers in lower case; `address` is the client's, `id` stands in
    the log."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str
    id: str


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A header may come several times. `route` says what was asked, without what somebody put into its parameters."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    route: str | None


class Application:
    """Answers by a table of routes; `middleware` in the order in which a request goes through."""

    def __init__(self, table: RouteTable, middleware: Sequence[Middleware]) -> None:
        self._table = table
        self._respond: GetResponse = self._view
        for layer in reversed(middleware):
            self._respond = _around(self._respond, layer)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Whatever fails is answered and logged as a defect of ours."""
        route, parameters = self._table.find(request.path) or (None, {})
        return answer_of(self._respond(Request(_event(request, route, parameters))), route)

    def logged(self, request: HttpRequest, response: Response, seconds: float) -> HttpAnswer:
        """The answer to a request that no view is asked about, `seconds` after it came. It is logged as well."""
        route, _ = self._table.find(request.path) or (None, {})
        context = _context(request, route)
        line = telemetry.line_of(context, request.method, response.status_code, round(seconds * 1_000, 2), {})
        telemetry.write_line(line)
        return answer_of(response, route)

    def _view(self, request: Request) -> Response:
        try:
            request.query_params = _query(request.context["query"])
            view = self._table.views[request.context["resourcePath"]][request.method]
            return view.load()(request, **(request.uri_params or {}))
        except Invalid as refusal:
            return refused(refusal)
        except Exception as error:
            return failed(error)


def answer_of(response: Response, route: str | None) -> HttpAnswer:
    """A view's response as it goes over the wire."""
    headers = [pair for name, value in response.headers.items() for pair in _pairs(name, value)]
    body = response.body
    return HttpAnswer(int(response.status_code), headers, body if isinstance(body, bytes) else body.encode(), route)


def _around(get_response: GetResponse, layer: Middleware) -> GetResponse:
    return lambda request: layer(request, get_response)


def _event(request: HttpRequest, route: str | None, parameters: Mapping[str, str]) -> dict[str, object]:
    """As API Gateway makes it, but for the query, which is yet to be read."""
    return {
        "requestContext": _context(request, route),
        "headers": request.headers,
        "multiValueQueryStringParameters": None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "body": request.body,
        "isBase64Encoded": False,
    }


def _context(request: HttpRequest, route: str | None) -> dict[str, object]:
    return {
        "httpMethod": request.method,
        "resourcePath": route,
        "path": request.path,
        "identity": {"sourceIp": request.address},
        "requestId": request.id,
        "query": request.query,
    }


def _query(text: str) -> MultiDict | None:
    """The parameters of the address. Raises Invalid."""
    try:
        return MultiDict(parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)) if text else None
    except ValueError:
        raise Invalid("query", f"may have at most {MAX_FIELDS} parameters.") from None


def _pairs(name: str, value: str | list[str]) -> list[tuple[str, str]]:
    return [(name, each) for each in ([value] if isinstance(value, str) else value)]
