# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that stands for platforms and for Keyturn."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

BEGAN = int(time.time())


def _jwt(seconds=3600, name="job", **said):
    """What looks like an identity token that ends so many seconds after the tests began."""
    claims = json.dumps({"sub": name, "exp": BEGAN + seconds, **said}).encode()
    return ".".join(("header", base64.urlsafe_b64encode(claims).decode().rstrip("="), "signature"))


class Server:
    """Answers with what `answers` has for a path; `asked` holds each request as path, headers, form."""

    def __init__(self):
        server = self
        self.asked = []
        self.answers = {}
        self.tokens = 0

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                form = {name: values[0] for name, values in parse_qs(body).items()}
                server.asked.append((self.path, dict(self.headers), form))
                status, told = server.answers.get(self.path.partition("?")[0], server.usual)(form)
                sent = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST  # noqa: N815 - http.server's names

            def log_message(self, *_arguments):
                """Nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def usual(self, form):
        """As Keyturn: an access token for an assertion, and nothing to say about a revocation."""
        if "assertion" not in form:
            return 200, {}
        self.tokens += 1
        return 200, {"access_token": f"access-{self.tokens}", "expires_in": 300}

    def forms(self, path):
        """What was posted to a path below the API's root."""
        return [form for asked, _headers, form in self.asked if asked == "/api/rest" + path]

    def close(self):
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server():
    started = Server()
    yield started
    started.close()


@pytest.fixture
def jwt():
    """Makes identity tokens."""
    return _jwt


@pytest.fixture
def identity(monkeypatch, jwt):
    """An identity, as the option has it when it has been checked."""
    monkeypatch.setenv("JOB", jwt())
    return {"source": "variable", "variable": "JOB", "file": None, "account": "bot", "audience": None}
