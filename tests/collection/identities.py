"""A platform that gives jobs identity tokens, and what stands between a play and the server and sees every login."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from embedded.stack import Stack
from tests.cutting import Listener, message

ISSUER = "https://platform.example.com"
SUBJECT = "workload_type:aap_controller_automation_job:organization:acme:job_template:bots"
LENGTH = re.compile(rb"(?i)content-length: \d+")


class Platform:
    """Signs identity tokens with a key that no server can fetch."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "platform"})

    def token(self, audience: str, seconds: int = 3600, **claims: Any) -> str:
        """A job's identity token."""
        now = int(time.time())
        said = {"iss": ISSUER, "sub": SUBJECT, "aud": audience, "iat": now, "exp": now + seconds, **claims}
        return jwt.encode({"alg": "ES256", "kid": "platform"}, said, self.key)

    def trusted(self, stack: Stack, login: str, **rule: Any) -> dict[str, Any]:
        """The rule by which a new bot, which may do everything, trusts the platform. Its audience is `keyturn`."""
        api = stack.administrator()
        api.post("/users", {"login": login, "name": login, "type": "bot"})
        api.post(f"/users/{login}/projectroles", {"role": {"key": "system-admin"}})
        said = {
            "name": "platform",
            "issuer": ISSUER,
            "audience": "keyturn",
            "conditions": {"sub": [SUBJECT]},
            "scope": [{"key": "keyturn"}, {"key": "ci"}],
            "keys": [self.key.as_dict(private=False)],
            "lasting": True,
            **rule,
        }
        told: dict[str, Any] = api.post(f"/users/{login}/trustrules", said)
        return told


@dataclass
class Observer(Listener):
    """Passes everything on to `target`, and writes down which access tokens are issued and revoked. `lives`: how many
    seconds it says that they live. `meanwhile` is told each request, and may give the answer to it."""

    target: str
    lives: int | None = None
    meanwhile: Callable[[bytes], bytes | None] = lambda _request: None
    issued: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    requests: int = 0

    def serve(self, client: socket.socket) -> None:
        parts = urlsplit(self.target)
        with contextlib.suppress(OSError), client:
            while request := message(client):
                if given := self.meanwhile(request):
                    client.sendall(given)
                    continue
                with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60) as server:
                    server.sendall(request)
                    answer = message(server)
                client.sendall(self._noted(request, answer))

    def _noted(self, request: bytes, answer: bytes) -> bytes:
        path, body = request.split(b" ", 2)[1], request.partition(b"\r\n\r\n")[2]
        head, _, said = answer.partition(b"\r\n\r\n")
        with self._lock:
            self.requests += 1
            if path.endswith(b"/oauth2/revoke"):
                self.revoked.append(parse_qs(body.decode())["token"][0])
            elif path.endswith(b"/oauth2/token") and b'"access_token"' in said:
                told = json.loads(said)
                self.issued.append(told["access_token"])
                if self.lives is not None:
                    said = json.dumps({**told, "expires_in": self.lives}).encode()
                    head = LENGTH.sub(b"Content-Length: %d" % len(said), head)
        return head + b"\r\n\r\n" + said


def claims_of(token: str) -> dict[str, Any]:
    """What an access token says."""
    middle = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return claims
