"""The body of a request: all of it, in time, and no more than anybody needs; or none at all."""

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


async def read(receive: Receive, headers: Mapping[str, str], most: int, seconds: float) -> bytes:
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
            return await _whole(receive, most)
    except TimeoutError:
        raise BodyRefused(HTTPStatus.REQUEST_TIMEOUT) from None


async def _whole(receive: Receive, most: int) -> bytes:
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
