"""A DynamoDB in which nothing is stored, and which answers when a test wants it to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class EmptyDatabase:
    """`seconds`: of each answer. `failures`: how many of the next calls are answered with a passing fault.

    `waiting`: how many calls are not answered yet.
    """

    def __init__(self) -> None:
        database = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["content-length"])))
                database.waiting += 1
                time.sleep(database.seconds)
                database._open.wait()
                database.waiting -= 1
                status, answer = database.answer(request)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                with suppress(OSError):  # nobody may wait for it any more
                    self.end_headers()
                    self.wfile.write(body)

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nobody reads it."""

        self.seconds = 0.0
        self.failures = 0
        self.waiting = 0
        self._open = threading.Event()
        self._open.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """No call is answered until the block ends."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def wait_for_calls(self, number: int) -> None:
        """Until so many calls wait for an answer."""
        while self.waiting < number:
            time.sleep(0.01)

    def answer(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.failures:
            self.failures -= 1
            return 500, {"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}
        if "RequestItems" in request:
            return 200, {"Responses": {name: [] for name in request["RequestItems"]}, "UnprocessedKeys": {}}
        return 200, {}

    def __enter__(self) -> EmptyDatabase:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
