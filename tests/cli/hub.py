"""A stand-in for JetBrains Hub: the collections that its REST API documents, and nothing that would change them."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "perm:aHVi.bWlncmF0aW9u.s3cr3t"
MOST = 2  # members of a page, whatever is asked for: pages are walked


def fixture() -> dict[str, list[dict[str, Any]]]:
    """By path below `/api/rest`."""
    jane = {"id": "u-1", "login": "jane", "name": "Jane Doe"}
    ci, hub = {"id": "s-1", "name": "Build & Test"}, {"id": "0-0-0-0-0", "name": "Hub"}
    everybody, builders, bots = {"id": "g-0"}, {"id": "g-1"}, {"id": "g-2"}

    def account(id: str, login: str, name: str, groups: list[dict[str, str]], **more: Any) -> dict[str, Any]:
        return {"id": id, "login": login, "name": name, "guest": False, "banned": False, "groups": groups, **more}

    return {
        "services": [
            {**hub, "key": "hub", "trusted": True},
            {**ci, "homeUrl": "https://ci.example.com", "redirectUris": ["https://ci.example.com/back"], "vendor": "V"},
            {"id": "s-2", "name": "Wiki", "key": "wiki", "trusted": True},
        ],
        "usergroups": [
            {"id": "g-0", "name": "All Users", "allUsers": True},
            {"id": "g-2", "name": "Robots", "parent": {"id": "g-1"}},
            {"id": "g-1", "name": "Builders", "requiredTwoFactorAuthentication": True},
        ],
        "users": [
            account("u-0", "guest", "Guest", [everybody]) | {"guest": True},
            account("u-1", "jane", "Jane Doe", [everybody, builders], profile={"email": {"email": "jane@example.com"}}),
            account("u-2", "deploy-bot", "Deployer", [everybody, bots]),
            account("u-3", "mallory", "Mallory", [everybody], banned=True, banReason="left"),
            account("u-4", "two words", "Not to be had", [everybody]),
        ],
        "users/u-1/permanenttokens": [
            {"id": "t-1", "name": "laptop", "scope": [hub, ci], "author": jane, "creationTime": 1_600_000_000_000}
        ],
        "users/u-2/permanenttokens": [
            {"id": f"t-{number}", "name": "nightly", "scope": [ci], "author": jane, "lastAccessTime": 1_790_000_000_000}
            for number in (2, 3)  # of one name
        ],
        "users/u-3/permanenttokens": [],
        "users/u-4/permanenttokens": [{"id": "t-4", "name": "lost", "scope": [ci]}],
    }


class Hub:
    """Serves `holdings`; `asked` has each request's method and path."""

    def __init__(self) -> None:
        self.holdings = fixture()
        self.asked: list[tuple[str, str]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub._answer(self)

            def do_POST(self) -> None:
                hub._answer(self)

            do_DELETE = do_POST  # noqa: N815 - what the server calls

            def log_message(self, format: str, *arguments: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hub"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        self.asked.append((request.command, parts.path))
        members = self.holdings.get(parts.path.removeprefix("/hub/api/rest/"))
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            status, told = 401, {"error": "unauthorized", "error_code": 401, "error_description": "Who is that?"}
        elif request.command != "GET" or members is None:
            status, told = (
                404,
                {"error": "not_found", "error_code": 404, "error_description": "There is no such thing."},
            )
        else:
            skip = int(parse_qs(parts.query).get("$skip", ["0"])[0])
            name = parts.path.rpartition("/")[2]
            status, told = 200, {"skip": skip, "top": MOST, name: members[skip : skip + MOST]}
        body = json.dumps(told).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
