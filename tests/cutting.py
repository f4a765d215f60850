"""A connection that is cut where a test says: between a client and the server that it talks to."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Cut(Enum):
    """Where."""

    BEFORE = "before anything arrives"
    IN_REQUEST = "when half of the request has arrived"
    AFTER_REQUEST = "when the request has arrived, and is carried out"
    IN_HEADERS = "in the middle of the answer's headers"
    IN_BODY = "in the middle of the answer's body"


class Listener:
    """Takes connections, each in a thread of its own, which `serve` looks after."""

    def __enter__(self) -> Self:
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def serve(self, client: socket.socket) -> None:
        """Answer until the client, or we, have had enough."""
        raise NotImplementedError

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()


@dataclass
class CuttingProxy(Listener):
    """Passes everything on to `target`; the requests whose numbers are in `cuts`, counted from `begin`, are cut.
    `seen` is told each request."""

    target: str
    cuts: dict[int, Cut] = field(default_factory=dict)
    seen: Callable[[bytes], None] | None = None
    number: int = 0

    def begin(self, cuts: dict[int, Cut]) -> None:
        """Count from here."""
        with self._lock:
            self.number, self.cuts = 0, dict(cuts)

    def serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            while request := message(client):
                with self._lock:
                    cut = self.cuts.get(self.number)
                    self.number += 1
                if cut is Cut.BEFORE:
                    return
                if self.seen:
                    self.seen(request)
                parts = urlsplit(self.target)
                with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as server:
                    if cut is Cut.IN_REQUEST:
                        server.sendall(request[: len(request) // 2])
                        return
                    server.sendall(request)
                    answer = message(server)
                if cut is Cut.AFTER_REQUEST:
                    return
                begins = answer.index(b"\r\n\r\n") + 4
                if cut is Cut.IN_HEADERS:
                    client.sendall(answer[: begins // 2])
                    return
                if cut is Cut.IN_BODY:
                    client.sendall(answer[: (begins + len(answer)) // 2])
                    return
                client.sendall(answer)


def message(connection: socket.socket) -> bytes:
    """One HTTP message, whole: by its length, in chunks, or until the connection's end."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    is_answer = head.startswith(b"HTTP/")
    if b"content-length" in headers:
        wanted = int(headers[b"content-length"])
        while len(body) < wanted and (part := connection.recv(65_536)):
            body += part
    elif headers.get(b"transfer-encoding") == b"chunked":
        while not body.endswith(b"0\r\n\r\n") and (part := connection.recv(65_536)):
            body += part
    elif is_answer:
        while part := connection.recv(65_536):
            body += part
    return head + b"\r\n\r\n" + body
