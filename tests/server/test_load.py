"""Many at a time, slow ones among them: everybody else is answered, and nothing grows without a bound."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.server.conftest import NewServer, OwnServer
from tests.server.database import EmptyDatabase
from tests.server.wire import FORM, INTROSPECTION, Answer, Connection, asked, verification

THREADS, WAITING = 2, 2
HALVES = (
    b"",
    b"GET /health HTTP/1.1\r\nHo",
    f"POST {INTROSPECTION} HTTP/1.1\r\nHost: x\r\n{FORM}\r\nContent-Length: 99\r\n\r\ntoken=".encode(),
    f"POST {INTROSPECTION} HTTP/1.1\r\nHost: x\r\n{FORM}\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ntok".encode(),
)


@pytest.fixture(scope="module")
def server(new_server: NewServer) -> OwnServer:
    return new_server("--threads", str(THREADS), "--waiting", str(WAITING))


def threads_of(server: OwnServer) -> int:
    pid = server.pid_file.read_text()
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def test_half_open_requests_keep_nobody_waiting(server: OwnServer) -> None:
    before = len(server.lines)
    lines, body = verification()
    with ExitStack() as stack:
        for number in range(400):
            connection = stack.enter_context(Connection(server.port))
            connection.raw(HALVES[number % len(HALVES)])
        for _ in range(20):
            assert asked(server.port, *lines, body=body).status == 401
        assert threads_of(server) < 20
        assert len(server.lines) == before + 20


def test_more_than_may_wait_is_refused_at_once(server: OwnServer, empty_database: EmptyDatabase) -> None:
    lines, body = verification()
    most, beyond = THREADS + WAITING, 8
    with ThreadPoolExecutor(most + beyond) as pool:
        with empty_database.held():
            asking = [pool.submit(asked, server.port, *lines, body=body) for _ in range(most + beyond)]
            refused = [future.result() for _, future in zip(range(beyond), as_completed(asking), strict=False)]
        answers = [future.result() for future in asking]
    for answer in refused:
        assert (answer.status, answer.json["error"], answer.headers["retry-after"]) == (503, "unavailable", "1")
    assert sorted(answer.status for answer in answers) == [401] * most + [503] * beyond


def test_a_busy_server_is_alive(server: OwnServer, empty_database: EmptyDatabase) -> None:
    lines, body = verification()
    with ThreadPoolExecutor(THREADS) as pool:
        with empty_database.held():
            busy = [pool.submit(asked, server.port, *lines, body=body) for _ in range(THREADS)]
            empty_database.wait_for_calls(THREADS)
            assert asked(server.port, "GET /health HTTP/1.1", "Host: x").status == 200
        assert {future.result().status for future in busy} == {401}


def test_an_answer_that_takes_too_long_is_not_waited_for(new_server: NewServer, empty_database: EmptyDatabase) -> None:
    server = new_server("--threads", "1", "--answer-seconds", "1")
    late, body = verification("X-Request-Id: late-1")
    behind, _ = verification("X-Request-Id: behind-1")
    with empty_database.held(), ThreadPoolExecutor(2) as pool:
        first = pool.submit(asked, server.port, *late, body=body)
        empty_database.wait_for_calls(1)
        for answer in (asked(server.port, *behind, body=body), first.result()):
            assert answer.status == 503
            assert "check whether it was made before you repeat it" in answer.text
            assert "retry-after" not in answer.headers  # nobody knows whether anything was changed
    assert asked(server.port, *verification()[0], body=body).status == 401
    told = [(line["request"], line["status"]) for line in server.lines]
    assert told[-1][1] == 401
    assert ("late-1", 401) in told  # its view has ended, though nobody waits for it
    assert [status for id, status in told if id == "behind-1"] == [503]  # which was never begun


def test_bodies_that_are_more_than_a_worker_holds_are_refused(new_server: NewServer) -> None:
    """At a time: once the slow one is gone, there is room again."""
    server = new_server("--bodies-bytes", "1000")
    head = ("POST /api/rest/login HTTP/1.1", "Host: x", "Content-Type: application/json")

    def answered(status: int) -> Answer:
        answers = (asked(server.port, *head, "Content-Length: 200", body=b" " * 200) for _ in range(1_000))
        return next(answer for answer in answers if answer.status == status)

    with Connection(server.port) as slow:
        slow.send(*head, "Content-Length: 901", body=b" " * 900)
        refused = answered(503)
        assert (refused.json["error"], refused.headers["retry-after"]) == ("unavailable", "1")
    answered(400)
