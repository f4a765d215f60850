"""Requests to Keyturn's API."""

from __future__ import annotations

import functools
import json
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from keyturn_cli.errors import AnswerLost, ExitCode, Problem, Refused
from keyturn_cli.patience import NoTimeLeft, Patience

ROOT = "/api/rest"
TOKEN = f"{ROOT}/oauth2/token"
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
BUSY = 429  # the server has done nothing; with 503 it may have, since the database did not answer
PASSING = {BUSY, 502, 503, 504}
ATTEMPTS = 5
LONGEST_PAUSE_SECONDS = 20.0
MAX_TOP = 100
_NEVER_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
T = TypeVar("T")
Token = str | Callable[[Patience], str]
Expected = Callable[[dict[str, Any]], bool]  # whether an answer is to what was asked


class Api:
    """One installation, and who asks. `token` is presented with every request; what is called gives the one of now."""

    def __init__(self, address: str, token: Token | None = None, patience: Patience | None = None) -> None:
        """Raises Problem: a secret goes over https only, but for this machine itself, and fits into a header."""
        _require_address(address)
        if isinstance(token, str):
            _require_form(token)
        self.address = address.rstrip("/")
        self.patience = patience or Patience()
        self._token = token
        self._pool = _pool()

    def using(self, token: str, patience: Patience | None = None) -> Api:
        """The same installation, asked with another token."""
        return Api(self.address, token, patience or self.patience)

    def patient(self, patience: Patience) -> Api:
        """The same, with other bounds."""
        return Api(self.address, self._token, patience)

    def health(self) -> dict[str, Any]:
        """What the installation says of itself. Raises Problem."""
        self.patience.begin()
        found: dict[str, Any] = _checked(self._ask("GET", "/health", None, {}))
        return found

    def get(self, path: str, expected: Expected | None = None, **query: Any) -> Any:
        """What is there."""
        return self.send("GET", _with(path, query), expected=expected)

    def post(self, path: str, body: Any, key: str | None = None, expected: Expected | None = None, **query: Any) -> Any:
        """Change or create something, once: `key` stands for this request, whoever sends it again (ADR 8)."""
        return self.send("POST", _with(path, query), body, key, expected)

    def delete(self, path: str) -> Any:
        """Take something away."""
        return self.send("DELETE", path)

    def form(self, path: str, fields: list[tuple[str, str]]) -> tuple[int, Any]:
        """An OAuth 2.0 request: the status, and the answer that may be a refusal."""
        self.patience.begin()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = self._ask("POST", path, urlencode(fields).encode(), headers)
        return answer.status, _content(answer)

    def send(
        self, method: str, path: str, body: Any = None, key: str | None = None, expected: Expected | None = None
    ) -> Any:
        """The answer's content. What a busy server, a lost connection, or an answer that is not Keyturn's leaves open
        is asked again, with the same key, so that nothing is done twice. `expected` tells an answer to this question
        from others. Raises Problem; AnswerLost, if nobody knows what became of it."""
        self.patience.begin()
        headers = {} if body is None else {"Idempotency-Key": key or secrets.token_urlsafe(24)}
        return Asking().until_answered(
            lambda doubtful: self._once(method, path, body, headers, expected)[0], self.patience
        )

    def once(self, path: str, body: Any, expected: Expected | None = None, **query: Any) -> tuple[Any, bool]:
        """One POST that is not repeated here: its answer, and whether the secret that was presented is an earlier one
        (it is told its end: `Sunset`, RFC 8594). Raises Refused, or AnswerLost whenever it is not sure that nothing was
        done."""
        content, answer = self._once("POST", _with(path, query), body, {}, expected)
        return content, "Sunset" in answer.headers

    def _once(
        self, method: str, path: str, body: Any, headers: dict[str, str], expected: Expected | None
    ) -> tuple[Any, urllib3.BaseHTTPResponse]:
        known = {"Accept": "application/json", **headers}
        if token := self._token(self.patience) if callable(self._token) else self._token:
            known["Authorization"] = f"Bearer {_require_form(token)}"
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            known["Content-Type"] = "application/json"
        answer = self._ask(method, ROOT + path, data, known)
        if answer.status in PASSING or answer.status >= 500:
            busy = answer.status == BUSY and _refusal(answer) is not None
            raise AnswerLost(_described(answer), busy, _told_wait(answer))
        return _checked(answer, expected), answer

    def _ask(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        left = max(0.001, self.patience.left())
        timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, left), read=min(READ_SECONDS, left))
        request = functools.partial(
            self._pool.request,
            method,
            self.address + path,
            body=data,
            headers=headers,
            timeout=timeout,
            retries=False,
            redirect=False,
        )
        try:
            return self.patience.within(f"{self.address} to answer", request)
        except NoTimeLeft as late:
            raise AnswerLost(f"{self.address} did not answer in time (--timeout).", not late.begun) from None
        except urllib3.exceptions.HTTPError as error:
            reason, never = type(error).__name__, isinstance(error, _NEVER_SENT)
            raise AnswerLost(f"{self.address} does not answer ({reason}).", never) from None


@dataclass
class Asking:
    """What is asked again until there is an answer. `doubtful`: it may have been done already."""

    doubtful: bool = False

    def until_answered(self, ask: Callable[[bool], T], patience: Patience) -> T:
        """The answer; `ask` is told whether it is doubtful. Raises AnswerLost or Refused, as of all attempts."""
        for attempt in range(ATTEMPTS):
            try:
                return ask(self.doubtful)
            except Refused as refusal:
                refusal.doubtful = self.doubtful
                raise
            except AnswerLost as lost:
                self.doubtful = self.doubtful or not lost.nothing_done
                if attempt == ATTEMPTS - 1 or not patience.left():
                    lost.nothing_done = not self.doubtful
                    raise
                patience.wait(_pause_after(lost, attempt), lost.message)
        raise AssertionError("unreachable")


def _pause_after(lost: AnswerLost, attempt: int) -> float:
    """How many seconds to wait after this attempt, counted from 0."""
    return min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0**attempt if lost.wait is None else lost.wait)


def collection(api: Api, path: str, fields: str | None) -> list[dict[str, Any]]:
    """All members, in the pages that the server gives, which may be smaller than was asked for. A server that does not
    tell the total is asked until there is nothing more. Raises Problem."""
    name, found = path.rpartition("/")[2], list[dict[str, Any]]()
    while True:
        page = api.send("GET", _with(path, {"fields": fields, "$skip": len(found), "$top": MAX_TOP}))
        members = page.get(name) if isinstance(page, dict) else None
        if not isinstance(members, list) or not all(isinstance(each, dict) for each in members):
            raise AnswerLost(f"{api.address} does not answer with {name}. Is the address right?")
        found += members
        if not members or len(found) >= page.get("total", len(found) + 1):
            return found


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")


@functools.cache
def _pool() -> urllib3.PoolManager:
    """One for the process: whoever presents another token goes on with the connection that there is."""
    return urllib3.PoolManager(ssl_context=ssl.create_default_context())


def _require_form(token: str) -> str:
    """What goes into a header. Raises Problem."""
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise Problem("The token holds something that no token does, such as a space or the end of a line.")
    return token


def _require_address(address: str) -> None:
    """What was typed is not said again: it may hold a password."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise Problem("The address (--address, KEYTURN_ADDRESS) is no https address.") from None
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or port == 0 or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise Problem("The address (--address, KEYTURN_ADDRESS) is no https address.")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Problem("The address holds more than a host and a path: no user, no password, nothing behind ? or #.")


def _with(path: str, query: dict[str, Any]) -> str:
    asked = {name: value for name, value in query.items() if value is not None}
    return path + (f"?{urlencode(asked)}" if asked else "")


def _told_wait(answer: urllib3.BaseHTTPResponse) -> float | None:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() else None


def _content(answer: urllib3.BaseHTTPResponse) -> Any:
    try:
        return json.loads(answer.data)
    except ValueError:
        return None


def _described(answer: urllib3.BaseHTTPResponse) -> str:
    if refusal := _refusal(answer):
        described: str = refusal["error_description"]
        return described
    if answer.status == 200:
        return "The server's answer is not as Keyturn's are, or not all of it has come. Is the address right?"
    return f"The server answered with {answer.status}, and not as Keyturn does. Is the address right?"


def _refusal(answer: urllib3.BaseHTTPResponse) -> dict[str, Any] | None:
    """The content, if it is a refusal as Keyturn says them ("Refusals" in docs/reference/rest-api.md): only then
    nothing was done. Whatever else is between here and there may answer when the request has passed it already."""
    content = _content(answer)
    if not isinstance(content, dict) or answer.status < 400 or content.get("error_code") != answer.status:
        return None
    told = (content.get("error"), content.get("error_description"))
    return content if all(isinstance(text, str) and text for text in told) else None


def _checked(answer: urllib3.BaseHTTPResponse, expected: Expected | None = None) -> Any:
    """Raises Refused; AnswerLost, if it is not Keyturn that answers, or not what was asked."""
    if refusal := _refusal(answer):
        code = ExitCode.NOT_LOGGED_IN if answer.status == 401 else ExitCode.REFUSED
        field = refusal.get("error_field")
        raise Refused(_described(answer), code, answer.status, refusal["error"], field)
    content = _content(answer)
    if answer.status != 200 or not isinstance(content, dict) or (expected and not expected(content)):
        raise AnswerLost(_described(answer))
    return content


def about(id: str) -> Expected:
    """An answer that is about the thing of this id."""
    return lambda content: content.get("id") == id


def has_id(content: Any) -> bool:
    """An answer about one thing."""
    return isinstance(content, dict) and isinstance(content.get("id"), str)


def is_comparison(content: dict[str, Any]) -> bool:
    """The answer to whether a secret is the current one."""
    return isinstance(content.get("current"), bool)
