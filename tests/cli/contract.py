"""A server that keeps services and webhooks by the contract of the REST API, in memory, for the machine that cuts.

It keeps nothing but what the contract says of secrets: which one is current, which are earlier, and what is answered.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from keyturn_cli import wire_format


class Refusal(Exception):
    def __init__(self, status: int, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.status, self.reason, self.field = status, reason, field


@dataclass
class Thing:
    """A service or a webhook. `whole` makes its secret of what is brought."""

    id: str
    name: str
    whole: Callable[[str], str]
    current: str
    more: dict[str, Any] = field(default_factory=dict)
    earlier: dict[str, float] = field(default_factory=dict)  # when each ends
    before: set[str] = field(default_factory=set)

    def is_good(self, secret: str) -> bool:
        return secret == self.current or self.earlier.get(secret, 0) > time.time()

    def renew(self, body: dict[str, Any]) -> str:
        new = self.whole(body["secret"])
        if new == self.current:
            return new
        if new in self.before:
            raise Refusal(400, "was its secret before", "secret")
        self.before.add(self.current)
        self.earlier = {**self.earlier, self.current: time.time() + body["grace"]} if body.get("grace") else {}
        self.current = new
        return new

    def take_back(self, body: dict[str, Any]) -> None:
        keep = body["keep"]
        if self.earlier.get(keep, 0) <= time.time():
            raise Refusal(400, "must be an earlier secret that is still good", "keep")
        self.before.add(self.current)
        self.current = keep
        del self.earlier[keep]

    def shown(self) -> dict[str, Any]:
        ends = [{"endsOn": round(until * 1000)} for until in self.earlier.values() if until > time.time()]
        secrets = [*ends, {"endsOn": None}]
        return {"id": self.id, "name": self.name, **self.more, "secrets": secrets}


class ContractServer:
    """`services` and `webhooks`, by id or name."""

    def __init__(self) -> None:
        self.services: dict[str, Thing] = {}
        self.webhooks: dict[str, Thing] = {}
        self.asked: list[tuple[str, str]] = []
        self._keys: dict[str, str] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        contract = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                contract._answer(self, "POST")

            def do_GET(self) -> None:
                contract._answer(self, "GET")

            def do_DELETE(self) -> None:
                contract._answer(self, "DELETE")

            def log_message(self, format: str, *arguments: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add_service(self, id: str, key: str) -> Thing:
        def whole(middle: str) -> str:
            return wire_format.service_secret(middle, id)

        self.services[id] = Thing(id, key, whole, whole(wire_format.new_middle()), {"key": key})
        return self.services[id]

    def add_webhook(self, id: str, body: dict[str, Any]) -> Thing:
        secret = body.get("secret") or wire_format.new_webhook_secret()
        more = {name: value for name, value in body.items() if name not in ("secret", "name")}
        self.webhooks[id] = Thing(id, body["name"], lambda secret: secret, secret, more)
        return self.webhooks[id]

    def _answer(self, request: BaseHTTPRequestHandler, method: str) -> None:
        body = json.loads(request.rfile.read(int(request.headers.get("Content-Length", 0))) or b"null")
        path = unquote(urlsplit(request.path).path).removeprefix("/api/rest")
        with self._lock:
            self.asked.append((method, path))
            try:
                status, told = 200, self._carry_out(method, path, body, request.headers.get("Idempotency-Key"))
            except Refusal as refusal:
                status = refusal.status
                told = {"error": "x", "error_description": str(refusal), "error_field": refusal.field}
        data = json.dumps(told).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _carry_out(self, method: str, path: str, body: Any, key: str | None) -> dict[str, Any]:
        found = re.fullmatch(r"/(services|webhooks)(?:/([^/]+))?((?:/[a-z]+)*)", path)
        assert found, path
        kind, which, verb = found.groups()
        things = self.services if kind == "services" else self.webhooks
        if which is None:
            if method == "GET":
                return {kind: [each.shown() for each in things.values()], "total": len(things)}
            return self._made(body, key)
        thing = things.get(which) or next((each for each in things.values() if each.name == which), None)
        if thing is None:
            raise Refusal(404, "is not there")
        if verb == "/secret":
            return {**thing.shown(), "secret": thing.renew(body)} | {"secrets": thing.shown()["secrets"]}
        if verb == "/secret/takeback":
            thing.take_back(body)
        elif verb == "/secret/comparison":
            return {"current": thing.whole(body["secret"]) == thing.current}
        elif method == "DELETE":
            del things[thing.id]
        elif method == "POST" and not verb:
            thing.name = body.get("name", thing.name)
            thing.more |= {name: value for name, value in body.items() if name != "name"}
        return thing.shown()

    def _made(self, body: dict[str, Any], key: str | None) -> dict[str, Any]:
        if key in self._keys:
            return self.webhooks[self._keys[key]].shown()
        id = f"wEbhook{len(self.webhooks):05}"
        thing = self.add_webhook(id, body)
        self._keys[key or id] = id
        return {**thing.shown(), "secret": thing.current}
