"""Whatever is sent to the local server: nothing of it is repeated, and the answer has the product's form."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.server import Server

SECRET = "ktp_SENT-BY-SOMEBODY"
AUTHORIZATION = f"Authorization: Bearer {SECRET}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """One without any settings, so that every view fails."""
    server = Server({}, folder / "server.log", folder / "server.pid")
    server.start()
    yield server
    server.stop()
    assert SECRET not in (folder / "server.log").read_text()


def sent(server: Server, *lines: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer to these lines, sent as they are; the connection is closed after it."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode("latin-1"))
        with contextlib.suppress(OSError):  # it may have answered, and closed the connection, by now
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            head, _, body = answer.read().decode().partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    assert SECRET not in head + body
    return int(first.split()[1]), dict(field.lower().split(": ", 1) for field in fields), body


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((f"GET /api/rest/nowhere/{SECRET}?token={SECRET} HTTP/1.1", AUTHORIZATION), 404),
        (("POST /api/rest/nowhere HTTP/1.1", f"{AUTHORIZATION}\xe9"), 404),
        (("GET //[ HTTP/1.1", AUTHORIZATION), 404),
        (("DELETE /api/rest/roles HTTP/1.1", AUTHORIZATION), 405),
        ((f"{SECRET} /api/rest/roles HTTP/1.1", AUTHORIZATION), 501),
        ((f"GET /api/rest/roles {SECRET} HTTP/1.1",), 400),
        ((f"GET /api/rest/roles HTTP/{SECRET}",), 400),
        (("POST /api/rest/roles HTTP/1.1", f"Content-Length: {SECRET}"), 400),
        (("POST /api/rest/roles HTTP/1.1", "Content-Length: -1"), 400),
        (("POST /api/rest/roles HTTP/1.1", f"Content-Length: {10**15}"), 413),
        (("POST /api/rest/roles HTTP/1.1", "Transfer-Encoding: chunked", "", "1", "a", "0"), 411),
        ((f"GET /{'a' * 70_000} HTTP/1.1",), 414),
        (("GET /api/rest/roles HTTP/1.1", f"X: {SECRET * 9_000}"), 431),
        (("GET /api/rest/users/me HTTP/1.1", AUTHORIZATION, "Connection: close"), 500),
    ],
)
def test_what_is_odd_is_answered_in_our_form_and_not_repeated(
    server: Server, lines: tuple[str, ...], status: int
) -> None:
    answered, headers, body = sent(server, *lines)
    assert (answered, headers["content-type"]) == (status, "application/json")
    told = json.loads(body)
    assert told["error_code"] == status
    assert told["error"]
    assert told["error_description"]


def test_a_mistyped_page_is_answered_with_a_page(server: Server) -> None:
    status, headers, body = sent(server, f"GET /usres?{SECRET} HTTP/1.1", "Accept: text/html,*/*", AUTHORIZATION)
    assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in body


def test_it_listens_to_this_machine_alone(server: Server, other_address: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((other_address, server.port), timeout=10)


@pytest.mark.usefixtures("server")
def test_its_log_is_its_owners_alone(folder: Path) -> None:
    assert (folder / "server.log").stat().st_mode & 0o077 == 0
