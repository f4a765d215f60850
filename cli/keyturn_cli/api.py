"""Requests to Keyturn's API."""

from __future__ import annotations

import json
import secrets
import ssl
import time
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from keyturn_cli.errors import ExitCode, Problem

ROOT = "/api/rest"
TOKEN = f"{ROOT}/oauth2/token"
TIMEOUT = urllib3.Timeout(connect=5, read=30)
PASSING = {429, 502, 503, 504}
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 20.0
MAX_TOP = 100


class AnswerLost(Problem):
    """Nobody knows whether the request was carried out."""


class Api:
    """One installation, and who asks. `token` is presented with every request."""

    def __init__(self, address: str, token: str | None = None, pause: Any = time.sleep) -> None:
        """Raises Problem: a secret goes over https only, but for this machine itself, and fits into a header."""
        parts = urlsplit(address)
        local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
            raise Problem(f"{address!r} is no https address.")
        if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
            raise Problem("The token holds something that no token does, such as a space or the end of a line.")
        self.address = address.rstrip("/")
        self._token = token
        self._pause = pause
        self._pool = urllib3.PoolManager(ssl_context=ssl.create_default_context(), timeout=TIMEOUT)

    def using(self, token: str) -> Api:
        """The same installation, asked with another token."""
        return Api(self.address, token, self._pause)

    def health(self) -> dict[str, Any]:
        """What the installation says of itself. Raises Problem."""
        found: dict[str, Any] = _checked(self._ask("GET", "/health", None, {}))
        return found

    def get(self, path: str, **query: Any) -> Any:
        """What is there."""
        asked = {name: value for name, value in query.items() if value is not None}
        return self.send("GET", path + (f"?{urlencode(asked)}" if asked else ""))

    def post(self, path: str, body: Any) -> Any:
        """Change or create something. Sent again only if that does it once."""
        return self.send("POST", path, body)

    def delete(self, path: str) -> Any:
        """Take something away."""
        return self.send("DELETE", path)

    def form(self, path: str, fields: list[tuple[str, str]]) -> tuple[int, Any]:
        """An OAuth 2.0 request: the status, and the answer that may be a refusal."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = self._ask("POST", path, urlencode(fields).encode(), headers)
        return answer.status, _content(answer)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's content. What a busy server or a lost connection leaves open is asked again, with the same
        key, so that nothing is done twice. Raises Problem; AnswerLost, if nobody knows what became of it."""
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": secrets.token_urlsafe(24)}
        data = None if body is None else json.dumps(body).encode()
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            try:
                answer = self._ask(method, ROOT + path, data, headers)
            except AnswerLost:
                if last:
                    raise
                self._pause(min(LONGEST_PAUSE_SECONDS, 0.5 * 2**attempt))
                continue
            cut_off = answer.status == 200 and _content(answer) is None
            if (answer.status in PASSING or cut_off) and not last:
                self._pause(_wait(answer, attempt))
                continue
            return _checked(answer)
        raise AssertionError("unreachable")

    def _ask(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                method, self.address + path, body=data, headers=headers, retries=False, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            reason = type(error).__name__
            raise AnswerLost(f"{self.address} does not answer ({reason}).", ExitCode.UNREACHABLE) from None


def collection(api: Api, path: str, fields: str) -> list[dict[str, Any]]:
    """All members, in the pages that the server gives, which may be smaller than was asked for. A server that does not
    tell the total is asked until there is nothing more. Raises Problem."""
    name, found = path.rpartition("/")[2], list[dict[str, Any]]()
    while True:
        page = api.get(path, fields=fields, **{"$skip": len(found), "$top": MAX_TOP})
        members = page.get(name) if isinstance(page, dict) else None
        if not isinstance(members, list):
            raise Problem(f"{api.address} does not answer with {name}. Is the address right?")
        found += members
        if not members or len(found) >= page.get("total", len(found) + 1):
            return found


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


def _wait(answer: urllib3.BaseHTTPResponse, attempt: int) -> float:
    told = answer.headers.get("Retry-After", "")
    return min(LONGEST_PAUSE_SECONDS, float(told) if told.isdigit() else 0.5 * 2.0**attempt)


def _content(answer: urllib3.BaseHTTPResponse) -> Any:
    try:
        return json.loads(answer.data)
    except ValueError:
        return None


def _checked(answer: urllib3.BaseHTTPResponse) -> Any:
    content = _content(answer)
    if answer.status == 200 and content is not None:
        return content
    described = content.get("error_description") if isinstance(content, dict) else None
    text = described or f"The server answered with {answer.status}, and not as Keyturn does. Is the address right?"
    if answer.status == 401:
        raise Problem(text, ExitCode.NOT_LOGGED_IN)
    raise Problem(text, ExitCode.UNREACHABLE if answer.status in PASSING else ExitCode.REFUSED)
