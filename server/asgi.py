"""One worker's application, as ASGI has it: from the wire to a view, and back.

What is refused here is refused in the form of the REST API, and stands in the log like everything else.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from chalicelib.core.common.errors import Unavailable
from chalicelib.core.common.networks import client_behind
from chalicelib.web import errors
from chalicelib.web.application import Application, HttpAnswer, HttpRequest, answer_of
from server import bodies
from server.bodies import BodyRefused
from server.pool import Full, Pool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from chalice.app import Response

    from server.bodies import Receive
    from server.options import Options
    from server.ready import Readiness

    Observe = Callable[[str | None, int, float], None]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

# What may stand in the log: it has no underscore and no full stop, so that no secret of ours and no JWT passes for one.
SAFE_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
READY = "/ready"
HEALTH = "/health"  # answered beside the pool: a worker that is busy is not dead
BUSY = "Too many requests at a time. Nothing was changed. Try again."
TOO_LATE = "The answer takes too long. If you sent a change, check whether it was made before you repeat it."
NOT_READY = "The database does not answer."


@dataclass(slots=True)
class Worker:
    """`observe` learns route, status and seconds of every answer. `in_flight`: how many requests have come and are yet
    to be answered."""

    application: Application
    options: Options
    pool: Pool
    readiness: Readiness
    proxies: Sequence[str]
    observe: Observe
    space: bodies.Space
    in_flight: int = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.in_flight += 1
        began = time.perf_counter()
        try:
            request = self._request(scope)
            try:
                most, seconds = self.options.body_bytes, self.options.body_seconds
                with bodies.Part(self.space) as part:
                    body = await bodies.read(receive, request.headers, most, seconds, part)
                    answer = await self._answered(replace(request, body=body))
            except Exception as error:
                answer = self.application.logged(request, self._refusal(error), time.perf_counter() - began)
            self.observe(answer.route, answer.status, time.perf_counter() - began)
            await _send(send, answer, request.id)
        finally:
            self.in_flight -= 1

    def _request(self, scope: dict[str, Any]) -> HttpRequest:
        headers = _joined(scope["headers"])
        peer = scope["client"][0] if scope["client"] else "unknown"
        address = client_behind(peer, headers.get("x-forwarded-for", ""), self.proxies)
        id = headers.get("x-request-id", "")
        id = id if SAFE_ID.fullmatch(id) else uuid.uuid4().hex
        path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
        return HttpRequest(scope["method"], path, query, headers, b"", address, id)

    async def _answered(self, request: HttpRequest) -> HttpAnswer:
        if request.path == HEALTH:
            return self.application.answer(request)
        if request.path == READY and request.method in ("GET", "HEAD"):
            return await self._ready()
        answer: HttpAnswer = await self.pool.run(partial(self.application.answer, request), self.options.answer_seconds)
        return answer

    async def _ready(self) -> HttpAnswer:
        """A probe asks every few seconds: it is in the log when it is told no."""
        if not await self.readiness.is_there():
            raise Unavailable(NOT_READY)
        return answer_of(errors.answer({"status": "ready"}), READY)

    def _refusal(self, error: Exception) -> Response:
        match error:
            case BodyRefused():
                response = _body_refused(error.status, self.options.body_bytes)
                response.headers["Connection"] = "close"  # what is left of the body is no request
                return response
            case Full():
                return errors.refused(Unavailable(BUSY))
            case TimeoutError():
                return errors.from_framework(HTTPStatus.SERVICE_UNAVAILABLE, TOO_LATE)  # which says nothing of a retry
            case Unavailable():
                return errors.refused(error)
        return errors.failed(error)


def _joined(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """By name in lower case. One that comes several times is a list (RFC 9110 section 5.3), and none of its values is
    silently left out."""
    headers: dict[str, str] = {}
    for name, value in pairs:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        if key in headers:
            text = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}"
        headers[key] = text
    return headers


def _body_refused(status: HTTPStatus, most: int) -> Response:
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return errors.refused(errors.BodyTooLarge(f"body: may have at most {most} bytes."))
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return errors.refused(errors.UnsupportedMediaType("Content-Encoding: bodies must not be compressed."))
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return errors.from_framework(status, "The body did not arrive in time.")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return errors.refused(Unavailable(BUSY))
    return errors.from_framework(status, "The body is not complete.")


async def _send(send: Send, answer: HttpAnswer, id: str) -> None:
    headers = [*answer.headers, ("X-Request-Id", id), ("Server", "Keyturn")]
    if answer.status != HTTPStatus.NO_CONTENT and not any(name == "Content-Length" for name, _ in headers):
        headers.append(("Content-Length", str(len(answer.body))))
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": int(answer.status), "headers": encoded})
    await send({"type": "http.response.body", "body": answer.body})
