"""One HTTP exchange on a connection that is kept: all of an answer, or none."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.storage.engine.http_connections import Answer, ConnectionPool
from tests.certificates import certificate
from tests.cutting import Listener, message

BODY = b'{"Responses": {}}'
HEAD = b"HTTP/1.1 200 OK\r\nServer: x\r\nX-Amz-Crc32:  12 \r\nContent-Length: 17\r\n\r\n"
WHOLE = HEAD + BODY


class Saying(Listener):
    """Answers each request with these parts, one after the other; hangs up after so many answers."""

    def __init__(self, parts: list[bytes], answers: int = 1_000) -> None:
        self.parts, self.answers, self.connections, self.requests = parts, answers, 0, list[bytes]()
        self.gone = threading.Event()

    def serve(self, client: socket.socket) -> None:
        self.connections += 1
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError), client:
            for _ in range(self.answers):
                request = message(client)
                if not request:
                    return
                self.requests.append(request)
                for part in self.parts:
                    client.sendall(part)
        self.gone.set()


def pool(address: str, reading: float = 2.0) -> ConnectionPool:
    return ConnectionPool(address, "", connecting=2.0, reading=reading)


@contextmanager
def saying(*parts: bytes, answers: int = 1_000) -> Iterator[tuple[Saying, ConnectionPool]]:
    with Saying(list(parts), answers) as server:
        yield server, pool(server.url)


def test_an_answer_and_its_headers() -> None:
    with saying(WHOLE) as (server, pool):
        answer = pool.post("/path", {"x-name": "value"}, b"body")
    assert answer == Answer({"server": "x", "x-amz-crc32": "12", "content-length": "17"}, BODY)
    assert server.requests == [b"POST /path HTTP/1.1\r\nx-name: value\r\ncontent-length: 4\r\n\r\nbody"]


@given(st.lists(st.integers(0, len(WHOLE)), max_size=5))
def test_it_may_arrive_in_any_parts(places: list[int]) -> None:
    borders = [0, *sorted(places), len(WHOLE)]
    with saying(*(WHOLE[begin:end] for begin, end in itertools.pairwise(borders))) as (_, pool):
        answer = pool.post("/", {}, b"")
    assert answer
    assert answer.content == BODY


@given(st.integers(0, len(WHOLE) - 1))
def test_an_answer_that_is_cut_off_is_none(end: int) -> None:
    with saying(WHOLE[:end], answers=1) as (_, pool):
        assert pool.post("/", {}, b"") is None


@pytest.mark.parametrize(
    "other",
    [
        WHOLE.replace(b"200 OK", b"400 Bad Request"),
        WHOLE.replace(b"200 OK", b"500 Internal Server Error"),
        WHOLE.replace(b"HTTP/1.1", b"HTTP/2.0"),
        WHOLE.replace(b"Content-Length: 17", b"Content-Length: many"),
        WHOLE.replace(b"Content-Length: 17\r\n", b"Transfer-Encoding: chunked\r\n"),
        WHOLE + b"more",
        b"\x00" * 100_000,
    ],
)
def test_anything_else_is_none_and_ends_the_connection(other: bytes) -> None:
    with saying(other) as (server, pool):
        assert pool.post("/", {}, b"") is None
        assert pool.post("/", {}, b"") is None
    assert server.connections == 2


def test_a_connection_is_kept() -> None:
    with saying(WHOLE) as (server, pool):
        assert all(pool.post("/", {}, b"") for _ in range(5))
    assert server.connections == 1


def test_not_if_the_server_wants_it_closed() -> None:
    with saying(WHOLE.replace(b"Server: x", b"Connection: close")) as (server, pool):
        assert all(pool.post("/", {}, b"") for _ in range(3))
    assert server.connections == 3


def test_one_that_was_closed_meanwhile_is_not_used_again() -> None:
    with saying(WHOLE, answers=1) as (server, pool):
        for _ in range(3):
            server.gone.clear()
            assert pool.post("/", {}, b"")
            assert server.gone.wait(2)
    assert server.connections == 3


def test_threads_do_not_share_one() -> None:
    with saying(WHOLE) as (server, pool):
        found: list[Answer | None] = []
        threads = [
            threading.Thread(target=lambda: found.extend(pool.post("/", {}, b"") for _ in range(50))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 400
    assert all(answer and answer.content == BODY for answer in found)
    assert server.connections <= 8


def test_silence_ends_the_wait() -> None:
    with Saying([]) as server:
        assert pool(server.url, reading=0.05).post("/", {}, b"") is None


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert pool(address).post("/", {}, b"") is None


class SayingSecretly(Saying):
    """The same over TLS."""

    def __init__(self, key: Path, public: Path) -> None:
        super().__init__([WHOLE])
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(public, key)

    def serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), self._tls.wrap_socket(client, server_side=True) as connection:
            super().serve(connection)


@pytest.mark.parametrize(
    ("shown", "trusted", "answered"),
    [("127.0.0.1", "127.0.0.1", True), ("127.0.0.1", "127.0.0.2", False), ("127.0.0.2", "127.0.0.2", False)],
    ids=["trusted", "not trusted", "of another host"],
)
def test_over_tls_only_whoever_is_trusted_for_this_host_is_told_anything(
    tmp_path: Path, shown: str, trusted: str, answered: bool
) -> None:
    folders = {address: tmp_path / address for address in (shown, trusted)}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    files = {address: certificate(folder, address) for address, folder in folders.items()}
    with SayingSecretly(*files[shown]) as server:
        _, authorities = files[trusted]
        pool = ConnectionPool(server.url.replace("http:", "https:"), str(authorities), connecting=2.0, reading=2.0)
        assert [bool(pool.post("/", {}, b"secret")) for _ in range(3)] == [answered] * 3
    assert bool(server.requests) is answered
