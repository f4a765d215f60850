"""What every endpoint has in common: what is refused is refused in the form that its reader expects."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from authlib.oauth2 import OAuth2Error

from chalicelib.core.common.errors import Refusal
from chalicelib.oauth.server import Server, protocol_error
from chalicelib.web.errors import failed, refused
from chalicelib.web.request import FormRequest, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Request, Response

    View = Callable[[FormRequest], Response]


def for_programs(view: View) -> Callable[[Request], Response]:
    """Refusals are JSON, in the protocol's words where it has some (RFC 6749 section 5.2).

    Programs in browsers may read the answers too: nothing here looks at cookies.
    """

    @functools.wraps(view)
    def guarded(request: Request) -> Response:
        response = answered(request)
        response.headers["Access-Control-Allow-Origin"] = "*"
        return response

    def answered(request: Request) -> Response:
        try:
            form_request = read(request)
            response = viewed(form_request)
            response.headers.update(form_request.headers)
            return response
        except Refusal as refusal:
            return refused(refusal)
        except Exception as error:
            return failed(error)

    def viewed(form_request: FormRequest) -> Response:
        try:
            return view(form_request)
        except Refusal as refusal:
            error = protocol_error(refusal)
            if error is None:
                return refused(refusal)
            return _error_answer(form_request, error)
        except OAuth2Error as error:
            return _error_answer(form_request, error)

    return guarded


def for_bearers(view: View) -> Callable[[Request], Response]:
    """Refusals are JSON, as on the REST API (RFC 6750 section 3)."""

    @functools.wraps(view)
    def guarded(request: Request) -> Response:
        try:
            return view(read(request))
        except Refusal as refusal:
            return refused(refusal)
        except Exception as error:
            return failed(error)

    return guarded


def _error_answer(form_request: FormRequest, error: OAuth2Error) -> Response:
    server = Server(form_request)
    response: Response = server.handle_error_response(server.create_oauth2_request(None), error)
    return response
