"""An outside issuer of identity tokens, such as a CI platform: a real HTTPS server with a certificate of its own."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tests.certificates import certificate

Page = Callable[[BaseHTTPRequestHandler], None]


class Issuer:
    """Serves its configuration and keys; `pages` can be replaced, `asked` counts requests by path."""

    def __init__(self, folder: Path) -> None:
        key_file, self.certificate = certificate(folder)
        self.key = RSAKey.generate_key(2048, {"kid": "first"})
        self.asked: list[str] = []
        self.pages: dict[str, Page] = {}
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked.append(self.path)
                issuer.pages.get(self.path, lambda handler: handler.send_error(404))(self)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key_file)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.url = f"https://localhost:{self._server.server_address[1]}"
        self.reset()

    def reset(self) -> None:
        """As it is at first."""
        self.asked.clear()
        about = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        self.pages = {
            "/.well-known/openid-configuration": answering(about),
            "/keys": answering({"keys": [self.key.as_dict(private=False)]}),
        }

    def token(self, key: RSAKey | ECKey | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """An identity token as GitHub Actions has them, or with other claims (None leaves one out)."""
        now = int(time.time())
        values = {
            "iss": self.url,
            "aud": "keyturn",
            "sub": "repo:acme/shop:ref:refs/heads/main",
            "repository": "acme/shop",
            "ref": "refs/heads/main",
            "environment": "production",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            **claims,
        }
        algorithm = "ES256" if isinstance(key, ECKey) else "RS256"
        return jwt.encode(
            {"alg": algorithm, "kid": "first", **(header or {})},
            {name: value for name, value in values.items() if value is not None},
            key or self.key,
            algorithms=[algorithm],
        )

    def __enter__(self) -> Issuer:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def answering(value: object, status: int = 200, **headers: str) -> Page:
    """A page that answers with this JSON value, or with these bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        handler.send_response(status)
        for name, text in headers.items():
            handler.send_header(name.replace("_", "-"), text)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def dripping(seconds: float) -> Page:
    """A page that sends a byte now and then, for so long."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        ends = time.monotonic() + seconds
        try:
            while time.monotonic() < ends:
                handler.wfile.write(b" ")
                handler.wfile.flush()
                time.sleep(0.1)
        except OSError:
            return

    return answer
