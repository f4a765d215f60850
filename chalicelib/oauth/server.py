"""Authlib's authorization server on our core: the only place where the two meet."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
    UnsupportedGrantTypeError,
)
from authlib.oauth2.rfc8628 import AuthorizationPendingError, ExpiredTokenError, SlowDownError
from chalice.app import Response

from chalicelib.core.common import errors
from chalicelib.core.oauth import devices
from chalicelib.oauth import grants
from chalicelib.oauth.client import Client
from chalicelib.oauth.protocol import ProtocolRequest, ascii_text
from chalicelib.web.errors import SECURITY_HEADERS, answer

if TYPE_CHECKING:
    from chalicelib.web.request import FormRequest


class UnsupportedToken(OAuth2Error):  # type: ignore[misc]
    """RFC 7009 section 2.2.1."""

    error = "unsupported_token_type"


UNKNOWN_CLIENT = "The client's id or secret is not valid, or this needs a secret."
LEFT_OUT = {
    "password": "The password grant is not supported: use authorization_code, device_code, or a permanent token",
    "implicit": "The implicit grant is not supported: use response_type=code with PKCE",
}


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]
    """RFC 8693 section 2.2.2."""

    error = "invalid_target"


class Server(AuthorizationServer):  # type: ignore[misc]
    """One for each request: it answers for `form_request`."""

    def __init__(self, form_request: FormRequest) -> None:
        super().__init__()
        self.form_request = form_request
        for grant, extensions in grants.ALL:
            self.register_grant(grant, extensions)

    def query_client(self, client_id: str) -> Client | None:
        """A service by id or key."""
        service = self.form_request.oauth.scopes.service(client_id)
        return Client(service, self.form_request) if service else None

    def authenticate_client(self, request: ProtocolRequest, methods: list[str], endpoint: str = "token") -> Client:
        """Raises InvalidClientError, in one text whatever was wrong (RFC 6749 section 5.2), or InvalidRequestError for
        two methods at once (section 2.3)."""
        if "Authorization" in request.headers and "client_secret" in request.form:
            raise InvalidRequestError("client_secret: must not be sent together with HTTP Basic.")
        try:
            client: Client = super().authenticate_client(request, methods, endpoint)
        except InvalidClientError:
            raise InvalidClientError(status_code=401, description=UNKNOWN_CLIENT) from None
        return client

    def get_token_grant(self, request: ProtocolRequest) -> Any:
        """Raises UnsupportedGrantTypeError, which says what to use instead where something was left out."""
        if not request.payload.grant_type:
            raise InvalidRequestError("grant_type: is required.")
        try:
            return super().get_token_grant(request)
        except UnsupportedGrantTypeError:
            hint = LEFT_OUT.get(request.payload.grant_type, "")
            raise OAuth2Error(error="unsupported_grant_type", description=f"{hint}." if hint else None) from None

    def create_oauth2_request(self, request: Any) -> ProtocolRequest:
        return request if isinstance(request, ProtocolRequest) else ProtocolRequest(self.form_request)

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        found = dict(headers)
        if "Location" in found:
            # 303: what follows is a GET, whatever this was (RFC 9700 section 4.12).
            location = {"Location": found["Location"], "Referrer-Policy": "no-referrer"}
            return Response("", {**SECURITY_HEADERS, **location}, int(HTTPStatus.SEE_OTHER))
        return answer(body, status, _challenge(status))


def _challenge(status: int) -> dict[str, str]:
    return {"WWW-Authenticate": 'Basic realm="keyturn"'} if status == HTTPStatus.UNAUTHORIZED else {}


_ERRORS: tuple[tuple[type[errors.Refusal], type[OAuth2Error]], ...] = (
    (devices.AuthorizationPending, AuthorizationPendingError),
    (devices.SlowDown, SlowDownError),
    (devices.AccessDenied, AccessDeniedError),
    (devices.ExpiredDeviceCode, ExpiredTokenError),
    (errors.InvalidGrant, InvalidGrantError),
    (errors.ClientNotAllowed, UnauthorizedClientError),
    (errors.Invalid, InvalidRequestError),
)


def protocol_error(refusal: errors.Refusal) -> OAuth2Error | None:
    """The core's refusal in the protocol's words; None if it has none (throttling, a database that is away)."""
    if isinstance(refusal, errors.Invalid) and refusal.field in ("scope", "audience"):
        kind = InvalidScopeError if refusal.field == "scope" else InvalidTargetError
        return kind(description=ascii_text(str(refusal)))
    for ours, theirs in _ERRORS:
        if isinstance(refusal, ours):
            return theirs(description=ascii_text(str(refusal)))
    return None
