"""Whatever is sent to the server: nothing of it is repeated, and the answer has the product's form."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator

import pytest

from tests.server.conftest import NewServer, OwnServer
from tests.server.wire import FORM, INTROSPECTION, Connection, asked, verification

SECRET = "ktp_SENT-BY-SOMEBODY"
AUTHORIZATION = f"Authorization: Bearer {SECRET}"
HOST = "Host: localhost"
MOST = 1024 * 1024
POST = (f"POST {INTROSPECTION} HTTP/1.1", HOST, FORM)


@pytest.fixture(scope="module")
def server(new_server: NewServer) -> Iterator[OwnServer]:
    server = new_server("--body-seconds", "1", "--head-seconds", "2")
    yield server
    assert SECRET not in server.log.read_text()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((f"GET /api/rest/nowhere/{SECRET}?token={SECRET} HTTP/1.1", HOST, AUTHORIZATION), 404),
        (("POST /api/rest/nowhere HTTP/1.1", HOST, f"{AUTHORIZATION}\xe9"), 404),
        (("GET //[ HTTP/1.1", HOST, AUTHORIZATION), 404),
        (("GET http://elsewhere/api/rest/nowhere HTTP/1.1", HOST), 404),
        (("OPTIONS * HTTP/1.1", HOST), 404),
        (("DELETE /api/rest/roles HTTP/1.1", HOST, AUTHORIZATION), 405),
        ((f"{SECRET} /api/rest/roles HTTP/1.1", HOST, AUTHORIZATION), 405),
        (("GET /api/rest/users/me HTTP/1.1", HOST, AUTHORIZATION), 401),
        (("GET /api/rest/users/me HTTP/1.1", HOST, AUTHORIZATION, AUTHORIZATION), 401),
        (("GET /api/rest/users/me HTTP/1.0", AUTHORIZATION), 401),
        ((*POST, f"Content-Length: {MOST + 1}"), 413),
        ((*POST, "Content-Length: 5", "Content-Encoding: gzip"), 415),
    ],
)
def test_what_is_odd_is_refused_in_our_form_and_not_repeated(
    server: OwnServer, lines: tuple[str, ...], status: int
) -> None:
    answer = asked(server.port, *lines)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    assert answer.json["error_code"] == status
    assert answer.json["error"]
    assert answer.json["error_description"]
    assert SECRET not in str(answer)


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((f"GET /api/rest/roles {SECRET} HTTP/1.1",), 400),
        ((f"GET /api/rest/roles HTTP/{SECRET}",), 400),
        ((*POST, f"Content-Length: {SECRET}"), 400),
        ((*POST, "Content-Length: -1"), 400),
        ((*POST, "Content-Length: 3", "Content-Length: 4"), 400),
        ((*POST, f"Content-Length: {10**30}"), 400),
        ((*POST, "Transfer-Encoding: gzip"), 400),
        ((f"GET /{'a' * 70_000} HTTP/1.1", HOST), 414),
        (("GET /api/rest/roles HTTP/1.1", *(f"X-{number}: {SECRET}" for number in range(200))), 431),
    ],
)
def test_what_is_no_request_is_refused_and_not_repeated(server: OwnServer, lines: tuple[str, ...], status: int) -> None:
    with Connection(server.port) as connection:
        connection.send(*lines)
        answer = connection.answer()
        assert (answer.status, answer.text) == (status, "")
        assert SECRET not in str(answer)
        assert connection.is_closed()


def test_a_mistyped_page_is_answered_with_a_page(server: OwnServer) -> None:
    answer = asked(server.port, f"GET /usres?{SECRET} HTTP/1.1", HOST, "Accept: text/html,*/*", AUTHORIZATION)
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in answer.text


def test_head_is_get_without_a_body(server: OwnServer) -> None:
    with Connection(server.port) as connection:
        for _ in range(2):  # nothing is left of the first
            connection.send("HEAD /health HTTP/1.1", HOST)
            answer = connection.answer(with_body=False)
            assert (answer.status, int(answer.headers["content-length"]) > 10) == (200, True)


def test_options_names_the_methods(server: OwnServer) -> None:
    answer = asked(server.port, "OPTIONS /login HTTP/1.1", HOST)
    assert (answer.status, answer.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert "content-length" not in answer.headers


def chunked(body: bytes, size: int) -> bytes:
    chunks = [body[begin : begin + size] for begin in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_a_body_in_chunks_is_a_body_and_the_next_request_is_one(server: OwnServer, size: int) -> None:
    (*lines, _), body = verification()
    with Connection(server.port) as connection:
        for _ in range(2):
            connection.send(*lines, "Transfer-Encoding: chunked", body=chunked(body, size))
            assert connection.answer().json["error"] == "invalid_client"


def test_of_two_lengths_chunks_count_and_nothing_follows(server: OwnServer) -> None:
    """RFC 9112 section 6.3: a proxy in front could see another request begin."""
    (*lines, _), body = verification()
    with Connection(server.port) as connection:
        connection.send(*lines, "Content-Length: 3", "Transfer-Encoding: chunked", body=chunked(body, 9))
        assert connection.answer().status == 401
        assert connection.is_closed()


def test_requests_one_after_the_other_are_answered_in_order(server: OwnServer) -> None:
    with Connection(server.port) as connection:
        for path in ("/health", "/nowhere", "/health"):
            connection.send(f"GET {path} HTTP/1.1", HOST)
        assert [connection.answer().status for _ in range(3)] == [200, 404, 200]


def test_a_body_that_is_too_long_is_refused_while_it_comes(server: OwnServer) -> None:
    for lines, body in (
        ((*POST, f"Content-Length: {2 * MOST}"), b"a" * (2 * MOST)),
        ((*POST, "Transfer-Encoding: chunked"), chunked(b"a" * (2 * MOST), 60_000)),
    ):
        with Connection(server.port) as connection:
            connection.send(*lines, body=body)
            answer = connection.answer()
            assert (answer.status, answer.json["error"]) == (413, "too_large")
            assert answer.headers["connection"] == "close"
            assert connection.is_closed()


def test_a_compressed_body_is_refused(server: OwnServer) -> None:
    body = gzip.compress(b"token=x")
    answer = asked(server.port, *POST, "Content-Encoding: gzip", f"Content-Length: {len(body)}", body=body)
    assert (answer.status, answer.json["error"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("length", "body"),
    [
        ("Content-Length: 10", b"token=x"),
        ("Transfer-Encoding: chunked", b"7\r\ntoken=x\r\n"),
        ("Transfer-Encoding: chunked", b"9\r\ntoken=x"),
        ("Transfer-Encoding: chunked", b"zz\r\ntoken=x\r\n0\r\n\r\n"),
    ],
)
def test_a_body_that_is_cut_off_is_none(server: OwnServer, length: str, body: bytes) -> None:
    with Connection(server.port) as connection:
        connection.send(*POST, length, body=body)
        connection.socket.shutdown(socket.SHUT_WR)
        answer = connection.answer()
        assert (answer.status, answer.json["error"]) == (400, "bad_request")


def test_a_body_that_does_not_come_is_not_waited_for(server: OwnServer) -> None:
    with Connection(server.port) as connection:
        connection.send(*POST, "Content-Length: 10", body=b"tok")
        answer = connection.answer()
        assert (answer.status, answer.json["error"]) == (408, "request_timeout")
        assert connection.is_closed()


@pytest.mark.parametrize("begun", [b"", b"GET /hea", b"GET /health HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_does_not_come_is_not_waited_for(server: OwnServer, begun: bytes) -> None:
    with Connection(server.port) as connection:
        connection.raw(begun)
        assert connection.is_closed()


def test_a_request_is_followed_by_its_id(server: OwnServer) -> None:
    for given, is_taken in (("2f9d-A1", True), ("a" * 64, True), ("a" * 65, False), (SECRET, False), ("a.b", False)):
        answer = asked(server.port, "GET /health HTTP/1.1", HOST, f"X-Request-Id: {given}")
        found = answer.headers["x-request-id"]
        assert (found == given) == is_taken
        assert server.lines[-1]["request"] == found
    made = {asked(server.port, "GET /health HTTP/1.1", HOST).headers["x-request-id"] for _ in range(5)}
    assert len(made) == 5


def test_what_no_view_is_asked_about_is_told_too(server: OwnServer) -> None:
    asked(server.port, *POST, "Content-Length: 5", "Content-Encoding: br", "X-Request-Id: odd-1")
    (line,) = [line for line in server.lines if line["request"] == "odd-1"]
    assert (line["status"], line["route"], line["address"]) == (415, INTROSPECTION, "127.0.0.1")


def test_it_listens_to_this_machine_alone(server: OwnServer) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=10)  # another address of this machine


def test_its_log_is_its_owners_alone(server: OwnServer) -> None:
    assert server.log.stat().st_mode & 0o077 == 0
