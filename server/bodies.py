"""The body of a request: all of it, in time, and no more than anybody needs; or none at all.

Bodies are read before anybody is asked for a token, so what a worker holds of all of them together has a bound too.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Receive = Callable[[], Awaitable[dict[str, Any]]]

# What comes beyond the bound is thrown away for a while: a client that still sends does not read why it was refused.
DISCARD_SECONDS = 1.0
DISCARD_BYTES = 16 * 1024 * 1024


class BodyRefused(Exception):
    """No view is asked; the answer has this status."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Space:
    """How many bytes of bodies a worker may still hold."""

    def __init__(self, size: int) -> None:
        self.left = size


class Part:
    """What one request has of it, from the first byte of its body until its answer."""

    def __init__(self, space: Space) -> None:
        self._space, self._taken = space, 0

    def take(self, size: int) -> None:
        """For bytes that have come. Raises BodyRefused."""
        if size > self._space.left:
            raise BodyRefused(HTTPStatus.SERVICE_UNAVAILABLE)
        self._space.left -= size
        self._taken += size

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_: object) -> None:
        self._space.left += self._taken


async def read(receive: Receive, headers: Mapping[str, str], most: int, seconds: float, part: Part) -> bytes:
    """The whole body. Raises BodyRefused."""
    length = int(headers.get("content-length", "0"))
    chunked = "transfer-encoding" in headers
    if not length and not chunked:
        return b""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise BodyRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if length > most:
        await _discard(receive)
        raise BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        async with asyncio.timeout(seconds):
            return await _whole(receive, most, part)
    except TimeoutError:
        raise BodyRefused(HTTPStatus.REQUEST_TIMEOUT) from None


async def _whole(receive: Receive, most: int, part: Part) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":  # it was cut off: what came is not what was meant
            raise BodyRefused(HTTPStatus.BAD_REQUEST)
        chunk = message.get("body", b"")
        chunks.append(chunk)
        size += len(chunk)
        if size > most:
            await _discard(receive)
            raise BodyRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        part.take(len(chunk))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _discard(receive: Receive) -> None:
    size = 0
    try:
        async with asyncio.timeout(DISCARD_SECONDS):
            while size < DISCARD_BYTES:
                message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        return
