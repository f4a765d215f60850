"""Connections to the database's address that are kept open, and one plain HTTP exchange on them.

No more of HTTP/1.1 (RFC 9112) than DynamoDB's answers need: a status, header lines, and a body of the length
that they state. Anything else counts as no answer, and closes the connection.
"""

from __future__ import annotations

import socket
import ssl
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3.util import wait_for_read

if TYPE_CHECKING:
    from collections.abc import Mapping

CHUNK = 64 * 1024
MAX_HEAD_BYTES = 16 * 1024  # bytes
SUCCESS = b"HTTP/1.1 200 "
END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: its headers, with names in lower case, and its body."""

    headers: dict[str, str]
    content: bytes


class ConnectionPool:
    """Connections to one address, as many as there are exchanges at a time.

    `trusted` is the file of authorities for https.

    A silence of `connecting` or `reading` seconds ends the wait.
    """

    def __init__(self, address: str, trusted: str, connecting: float, reading: float) -> None:
        parts = urlsplit(address)
        self._host, self._connecting, self._reading = parts.hostname or "", connecting, reading
        self._tls = ssl.create_default_context(cafile=trusted) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._idle: deque[socket.socket] = deque()

    def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """What the server answers with a status of 200; None if it answers something else, or nothing."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        message = f"POST {path} HTTP/1.1\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body
        connection = None
        try:
            connection = self._reusable() or self._connect()
            connection.sendall(message)
            answer = _read_answer(connection)
        except OSError:
            answer = None
        if connection is None:
            return None
        if answer is None or answer.headers.get("connection", "").lower() == "close":
            connection.close()
        else:
            self._idle.append(connection)
        return answer

    def _reusable(self) -> socket.socket | None:
        """The one that was used last and is still open. One that is readable while idle is being closed."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if not wait_for_read(connection, timeout=0):
                return connection
            connection.close()
        return None

    def _connect(self) -> socket.socket:
        connection = socket.create_connection((self._host, self._port), self._connecting)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_hostname=self._host)
        connection.settimeout(self._reading)
        return connection


def _read_answer(connection: socket.socket) -> Answer | None:
    received = bytearray()
    while (end := received.find(END_OF_HEAD)) < 0:
        chunk = connection.recv(CHUNK)
        if not chunk or len(received) > MAX_HEAD_BYTES:
            return None
        received += chunk
    if not received.startswith(SUCCESS):
        return None
    header_lines = (text.partition(":") for text in received[:end].decode("latin-1").split("\r\n")[1:])
    headers = {name.lower(): value.strip() for name, _, value in header_lines}
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return None
    body = received[end + len(END_OF_HEAD) :]
    while len(body) < int(length):
        chunk = connection.recv(CHUNK)
        if not chunk:
            return None
        body += chunk
    return Answer(headers, bytes(body)) if len(body) == int(length) else None
