"""Chalice's local server, but for its own errors: they repeat nothing of what was sent, and have our form.

`python -m embedded.local_server HOST PORT`, in the project's folder, with Keyturn's settings in the environment.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from chalice.cli.factory import CLIFactory
from chalice.local import ChaliceRequestHandler, LocalGateway, LocalGatewayException, create_local_server

from chalicelib.pages.frame.render import plain_page
from chalicelib.web.errors import failed, from_framework
from embedded.layout import PROJECT

if TYPE_CHECKING:
    from chalice.app import Response

MOST_BYTES = 10 * 1024 * 1024  # of a body, as API Gateway's quotas have it
SAID = {
    HTTPStatus.BAD_REQUEST: "This is no request of HTTP.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.LENGTH_REQUIRED: "A body needs a Content-Length.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: f"body: may have at most {MOST_BYTES} bytes.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Keyturn had an internal error. Details are in its log.",
}


class Refused(LocalGatewayException):
    """No view is asked; the answer has this status."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__({})
        self.status = status


class Gateway(LocalGateway):
    """Finds the view for a request."""

    def _generate_lambda_event(self, *request: Any) -> dict[str, Any]:
        try:
            return super()._generate_lambda_event(*request)
        except ValueError:  # the address is none, or no route's
            raise Refused(HTTPStatus.NOT_FOUND) from None


class Handler(ChaliceRequestHandler):
    """Answers the requests of one connection."""

    default_request_version = "HTTP/1.1"  # of what names none: refusals have headers

    def __init__(self, request: Any, client_address: Any, server: Any, app_object: Any, config: Any) -> None:
        self.local_gateway = Gateway(app_object, config)
        super(ChaliceRequestHandler, self).__init__(request, client_address, server)

    def _parse_payload(self) -> tuple[dict[str, Any], bytes | None]:
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers:
            raise Refused(HTTPStatus.LENGTH_REQUIRED)
        if not (length.isascii() and length.isdigit()):
            raise Refused(HTTPStatus.BAD_REQUEST)
        if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        headers, body = super()._parse_payload()
        return headers, body

    def _generic_handle(self) -> None:
        try:
            super()._generic_handle()
        except Refused as refused:
            self.send_error(refused.status)
        except ConnectionError:
            self.close_connection = True
        except Exception as error:
            failed(error)
            self.send_error(HTTPStatus.INTERNAL_SERVER_ERROR)

    # As http.server finds them.
    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle  # noqa: N815

    def _send_error_response(self, error: LocalGatewayException) -> None:
        self.send_error(error.status if isinstance(error, Refused) else HTTPStatus.FORBIDDEN)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """The answer to what no view was asked about. `message` and `explain` may quote the request, so they go."""
        status = HTTPStatus(code)
        answer = self._answer(status, SAID.get(status, f"{status.phrase}."))
        text = answer.body.encode()
        self.send_response(status, status.phrase)
        for name, value in {**answer.headers, "Content-Length": str(len(text)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def _answer(self, status: HTTPStatus, said: str) -> Response:
        """A page for whoever looks at pages; JSON for programs."""
        wanted = getattr(self, "headers", None) or {}
        is_page = "text/html" in wanted.get("accept", "") and not getattr(self, "path", "").startswith("/api/")
        return plain_page("Request failed", said, status) if is_page else from_framework(status, said)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Addresses may hold secrets. What a view was asked is logged by `chalicelib.telemetry`."""


def _log_failure(*_: object) -> None:
    """Log what failed on a connection, without what was sent there."""
    error = sys.exception()
    if isinstance(error, Exception) and not isinstance(error, ConnectionError):
        failed(error)


def main() -> None:
    """Serves until it is ended."""
    host, port = sys.argv[1], int(sys.argv[2])
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    config = CLIFactory(str(PROJECT), environ=os.environ).create_config_obj(chalice_stage_name="local")
    local = create_local_server(config.chalice_app, config, host, port)
    local.server.RequestHandlerClass = functools.partial(Handler, app_object=local.app_object, config=config)
    local.server.handle_error = _log_failure
    local.serve_forever()


if __name__ == "__main__":
    main()
