"""The core's refusals, and whatever else can go wrong, as answers by Hub's contract.

{"error": "...", "error_code": 400, "error_description": "...", "error_field": "name"}
"""

from __future__ import annotations

import json
import logging
import traceback
from http import HTTPStatus

from chalice.app import Response

from chalicelib.core.common import errors

log = logging.getLogger("keyturn.rest")

NO_SUCH_PATH = "no_such_path"
BEARER_CHALLENGE = 'Bearer realm="keyturn"'
SECURITY_HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",  # answers hold secrets and personal data
    "X-Content-Type-Options": "nosniff",
}


class UnsupportedMediaType(errors.Refusal):
    """The body is in a format that this operation does not read."""


class BodyTooLarge(errors.Refusal):
    """The body is larger than any request needs."""


class ClientUnauthenticated(errors.Unauthenticated):
    """A service's own id or secret is wrong (RFC 6749 section 5.2, `invalid_client`)."""


_STATUS: tuple[tuple[type[errors.Refusal], HTTPStatus, str], ...] = (
    (errors.Invalid, HTTPStatus.BAD_REQUEST, "invalid_request"),
    (ClientUnauthenticated, HTTPStatus.UNAUTHORIZED, "invalid_client"),
    (errors.Unauthenticated, HTTPStatus.UNAUTHORIZED, "invalid_token"),
    (errors.LoginRefused, HTTPStatus.UNAUTHORIZED, "login_refused"),
    (errors.InvalidGrant, HTTPStatus.BAD_REQUEST, "invalid_grant"),
    (errors.ClientNotAllowed, HTTPStatus.BAD_REQUEST, "unauthorized_client"),
    (errors.SecondFactorRequired, HTTPStatus.UNAUTHORIZED, "second_factor_required"),
    (errors.SecondFactorLocked, HTTPStatus.UNAUTHORIZED, "second_factor_locked"),
    (errors.InsufficientScope, HTTPStatus.FORBIDDEN, "insufficient_scope"),
    (errors.Forbidden, HTTPStatus.FORBIDDEN, "forbidden"),
    (errors.NotFound, HTTPStatus.NOT_FOUND, "not_found"),
    (errors.Conflict, HTTPStatus.CONFLICT, "conflict"),
    (errors.IdempotencyMismatch, HTTPStatus.UNPROCESSABLE_ENTITY, "key_reused"),
    (errors.Throttled, HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests"),
    (errors.Unavailable, HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"),
    (UnsupportedMediaType, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    (BodyTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
)


def answer(body: object, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(body=text, status_code=int(status), headers={**SECURITY_HEADERS, **(headers or {})})


def refused(refusal: errors.Refusal) -> Response:
    """The answer that tells the caller why."""
    status, code = next((status, code) for kind, status, code in _STATUS if isinstance(refusal, kind))
    response: dict[str, object] = {"error": code, "error_code": int(status), "error_description": str(refusal)}
    if isinstance(refusal, errors.Invalid | errors.Conflict | errors.IdempotencyMismatch) and refusal.field:
        response["error_field"] = refusal.field
    if isinstance(refusal, errors.SecondFactorRequired | errors.SecondFactorLocked):
        response["methods"] = list(refusal.methods)
    return answer(response, status, _headers(refusal, code))


def failed(error: Exception) -> Response:
    """The answer to a defect of ours. The log gets the place, but no message: it could quote a secret."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    log.error("Unexpected %s\n%s", type(error).__name__, frames)
    return _error(
        HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Keyturn had an internal error. Details are in its log."
    )


def from_framework(status: int, message: str) -> Response:
    """What Chalice refused before any view was called (such as a method that a path does not have)."""
    # Told apart from a thing that is not there, which programs take for an answer.
    missing = status == HTTPStatus.NOT_FOUND
    code = NO_SUCH_PATH if missing else HTTPStatus(status).phrase.lower().replace(" ", "_")
    return _error(HTTPStatus(status), code, message)


def _error(status: HTTPStatus, code: str, description: str) -> Response:
    return answer({"error": code, "error_code": int(status), "error_description": description}, status)


def _headers(refusal: errors.Refusal, code: str) -> dict[str, str]:
    if isinstance(refusal, ClientUnauthenticated):
        return {"WWW-Authenticate": 'Basic realm="keyturn"'}
    if isinstance(refusal, errors.Unauthenticated | errors.InsufficientScope):
        return {"WWW-Authenticate": f'{BEARER_CHALLENGE}, error="{code}"'}
    if isinstance(refusal, errors.LoginRefused | errors.SecondFactorRequired | errors.SecondFactorLocked):
        return {"WWW-Authenticate": BEARER_CHALLENGE}
    if isinstance(refusal, errors.Throttled):
        return {"Retry-After": str(refusal.retry_after)}
    if isinstance(refusal, errors.Unavailable):
        return {"Retry-After": "1"}
    return {}
