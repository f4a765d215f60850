"""The collection's client against a server that misbehaves on purpose."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.collection import conftest as _importable  # noqa: F401 - it makes the collection importable

from ansible_collections.keyturn.hub.plugins.module_utils.client import Client, RequestRefused  # isort: skip

Answer = tuple[int, dict[str, str], bytes]


class Scripted:
    """A real HTTP server that gives prepared answers in order, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str, bytes]] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                scripted.asked.append((self.command, self.path, body))
                status, headers, text = scripted.answers.pop(0)
                if status == 0:
                    return  # hang up without a word
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hub/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def client(server: Scripted, waits: list[float]) -> Client:
    return Client(server.url, "a token", timeout=5, sleep=waits.append)


def said(status: int, body: Any, **headers: str) -> Answer:
    return status, headers, json.dumps(body).encode()


BUSY = said(503, {}, **{"Retry-After": "7"})
LOST: Answer = (0, {}, b"")


def test_a_base_with_a_path_is_kept_and_parts_of_paths_are_quoted(client: Client, server: Scripted) -> None:
    server.answers = [said(200, {"id": 1})]
    assert client.get("users", "a/b@c", fields="id,scope(id)") == {"id": 1}
    assert server.asked[0][:2] == ("GET", "/hub/api/rest/users/a%2Fb%40c?fields=id,scope(id)")


def test_a_collection_is_read_page_by_page(client: Client, server: Scripted) -> None:
    server.answers = [said(200, {"total": 3, "users": [1, 2]}), said(200, {"total": 3, "users": [3]})]
    assert client.get_all("users", "users") == [1, 2, 3]
    assert "$skip=2" in server.asked[1][1]


def test_a_collection_that_shrinks_meanwhile_ends(client: Client, server: Scripted) -> None:
    server.answers = [said(200, {"total": 3, "users": [1]}), said(200, {"total": 3, "users": []})]
    assert client.get_all("users", "users") == [1]


def test_reading_is_repeated_when_an_answer_is_lost_or_the_server_is_busy(
    client: Client, server: Scripted, waits: list[float]
) -> None:
    server.answers = [BUSY, LOST, said(502, {}), said(200, {"id": 1})]
    assert client.get("users", "x") == {"id": 1}
    assert waits == [7, 2, 4]


def test_a_change_is_repeated_only_when_the_server_says_that_it_did_nothing(
    client: Client, server: Scripted, waits: list[float]
) -> None:
    server.answers = [said(429, {}, **{"Retry-After": "1"}), BUSY, said(200, {"id": 1})]
    assert client.post({}, "users") == {"id": 1}
    assert waits == [1, 7]


@pytest.mark.parametrize("unknown", [LOST, said(504, {})])
def test_a_change_of_unknown_fate_is_not_repeated(client: Client, server: Scripted, unknown: Answer) -> None:
    server.answers = [unknown, said(200, {"id": 1})]
    with pytest.raises(RequestRefused):
        client.post({}, "users")
    assert len(server.asked) == 1


def test_patience_ends(client: Client, server: Scripted, waits: list[float]) -> None:
    server.answers = [said(503, {}, **{"Retry-After": "9999"})] * 4
    with pytest.raises(RequestRefused, match="503"):
        client.get("users", "x")
    assert waits == [30, 30, 30]


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (said(409, {"error_description": "taken", "error_field": "name"}), 409, "taken"),
        (said(401, {"error_description": "bad."}), 401, "bad. Check the option token."),
        ((500, {}, b"<html>"), 500, "the server answers 500"),
        ((200, {}, b"<html>"), 0, "not with JSON"),
    ],
)
def test_refusals_are_told_in_the_servers_words(
    client: Client, server: Scripted, answer: Answer, status: int, message: str
) -> None:
    server.answers = [answer]
    with pytest.raises(RequestRefused) as refusal:
        client.post({}, "users")
    assert refusal.value.status == status
    assert message in str(refusal.value)


@pytest.mark.parametrize("call", [lambda client: client.get("users", "x"), lambda client: client.delete("users", "x")])
def test_what_is_not_there_is_no_error(client: Client, server: Scripted, call: Callable[[Client], object]) -> None:
    server.answers = [said(404, {"error_description": "none"})]
    assert call(client) is None


def test_no_message_holds_the_token(client: Client, server: Scripted) -> None:
    server.answers = [said(403, {})]
    with pytest.raises(RequestRefused) as refusal:
        client.post({}, "users")
    assert "a token" not in str(refusal.value)
