"""Requests as bytes, since no client sends what tests of a server have to send."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any

from chalicelib.core.common.identifiers import new_id
from chalicelib.core.secrets.token_format import SERVICE_SECRET, CredentialKind
from tests.rest.calling import basic

INTROSPECTION = "/api/rest/oauth2/introspect"
FORM = "Content-Type: application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """Names of headers in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


class Connection:
    """One connection to a server of this machine."""

    def __init__(self, port: int, timeout: float = 30.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._received = b""

    def send(self, *lines: str, body: bytes = b"") -> None:
        """These lines, the empty one that ends a head, and a body."""
        self.raw("\r\n".join((*lines, "", "")).encode("latin-1") + body)

    def raw(self, content: bytes) -> None:
        self.socket.sendall(content)

    def answer(self, with_body: bool = True) -> Answer:
        """The next one. Raises ConnectionError if there is none."""
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        first, *fields = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        length = int(headers.get("content-length", "0")) if with_body else 0
        while len(self._received) < length:
            self._receive()
        body, self._received = self._received[:length], self._received[length:]
        return Answer(int(first.split()[1]), headers, body.decode())

    def _receive(self) -> None:
        received = self.socket.recv(65_536)
        if not received:
            raise ConnectionError("closed")
        self._received += received

    def is_closed(self) -> bool:
        """Waits until the server closes it; False if it says something instead."""
        with contextlib.suppress(ConnectionResetError):
            return self.socket.recv(1) == b""
        return True

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def asked(port: int, *lines: str, body: bytes = b"") -> Answer:
    """The answer to one request on a connection of its own."""
    with Connection(port) as connection:
        connection.send(*lines, body=body)
        return connection.answer(with_body=not lines[0].startswith("HEAD"))


def verification(*headers: str) -> tuple[tuple[str, ...], bytes]:
    """Head and body of a request of a service that nobody knows: it takes one read of the database."""
    secret = CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id())
    service = new_id()
    body = f"token={secret}".encode()
    authorization = basic(service, SERVICE_SECRET.issue(service))
    lines = (f"POST {INTROSPECTION} HTTP/1.1", "Host: x", FORM, f"Authorization: {authorization}", *headers)
    return (*lines, f"Content-Length: {len(body)}"), body
