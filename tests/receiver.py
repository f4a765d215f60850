"""A receiver of webhooks that is told how to behave."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook


class Receiver:
    """An HTTP server of a test. `behave` says what becomes of each message, by its number, when it comes first."""

    def __init__(self, behave: Callable[[int], str] = lambda number: "take") -> None:
        self.secret = ""
        self.got: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.bodies: list[bytes] = []
        self.moments: list[float] = []  # when a message came, whatever became of it; monotonic
        self._seen: dict[str, int] = {}
        self._again: set[str] = set()  # that are to fail once more
        self._behave = behave
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.receive(self)

            def log_message(self, format: str, *arguments: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/events"

    @property
    def tried(self) -> int:
        """How many messages have come, whatever became of them."""
        return len(self._seen)

    def receive(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers["Content-Length"]))
        with self._lock:
            self.moments.append(time.monotonic())
            id = request.headers["webhook-id"]
            if id in self._seen:
                behaviour = "fail" if id in self._again else "take"
                self._again.discard(id)
            else:
                behaviour = self._behave(len(self._seen))
                self._again |= {id} if behaviour == "fail twice" else set()
            self._seen[id] = self._seen.get(id, 0) + 1
        if behaviour == "slow":
            time.sleep(1.0)
        if behaviour == "hang":
            time.sleep(6.5)
            return
        if behaviour in ("fail", "fail twice"):
            request.send_response(500)
            request.end_headers()
            return
        message = Webhook(self.secret).verify(body, dict(request.headers))  # the library of those who made the standard
        with self._lock:
            self.bodies.append(body)
            self.ids.append(request.headers["webhook-id"])
            self.got.append(message)
        request.send_response(204)
        request.end_headers()

    def by_token(self) -> dict[str, list[int]]:
        """The sequences that came, each counted once, for each token."""
        found: dict[str, list[int]] = defaultdict(list)
        with self._lock:
            for message in self.got:
                data = message["data"]
                if data["sequence"] not in found[data["token"]["id"]]:
                    found[data["token"]["id"]].append(data["sequence"])
        return found

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
