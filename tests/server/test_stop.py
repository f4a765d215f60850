"""A server that is told to stop answers what it was asked, and nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.server.conftest import NewServer, OwnServer
from tests.server.database import EmptyDatabase
from tests.server.wire import Connection, verification

CLIENTS = 12


@pytest.fixture
def slow_database(empty_database: EmptyDatabase) -> Iterator[EmptyDatabase]:
    empty_database.seconds = 0.2
    yield empty_database
    empty_database.seconds = 0.0


class Load:
    """Clients that ask again and again, on connections that they keep, until nobody answers."""

    def __init__(self, server: OwnServer) -> None:
        self.answered: set[str] = set()
        self._port = server.port
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _ask(self, client: int) -> None:
        lines, body = verification()
        with suppress(ConnectionError):
            connection, number = Connection(self._port), 0
            while True:
                number += 1
                id = f"client-{client}-{number}"
                connection.send(*lines, f"X-Request-Id: {id}", body=body)
                answer = connection.answer()
                assert (answer.status, answer.headers["x-request-id"]) == (401, id)
                self.answered.add(id)
                if answer.headers.get("connection") == "close":
                    connection = Connection(self._port)

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


@pytest.mark.usefixtures("slow_database")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_under_load_loses_no_answer(new_server: NewServer, number: int, workers: int) -> None:
    server = new_server("--workers", str(workers))
    load = Load(server)
    while len(load.answered) < 2 * CLIENTS:
        time.sleep(0.01)
    os.kill(server.pid, number)
    load.wait()
    assert server.exit_code() == 0
    assert {line["request"] for line in server.lines} == load.answered


def test_who_has_not_asked_yet_is_not_waited_for(new_server: NewServer, empty_database: EmptyDatabase) -> None:
    server = new_server()
    with Connection(server.port) as silent, Connection(server.port) as half, Connection(server.port) as asking:
        half.raw(b"GET /health HTTP/1.1\r\nHos")
        with empty_database.held():
            ask(asking, empty_database)
            began = time.monotonic()
            os.kill(server.pid, signal.SIGTERM)
            wait_until_closed(server)
        assert asking.answer().status == 401
        assert silent.is_closed()
        assert half.is_closed()
        assert server.exit_code() == 0
        assert time.monotonic() - began < 20  # it would wait for a head for 65


def test_it_ends_in_time_whatever_a_view_is_at(new_server: NewServer, empty_database: EmptyDatabase) -> None:
    server = new_server("--stop-seconds", "1")
    with Connection(server.port) as connection, empty_database.held():
        ask(connection, empty_database)
        os.kill(server.pid, signal.SIGTERM)
        assert server.exit_code() == 0


def ask(connection: Connection, database: EmptyDatabase) -> None:
    """A view waits for the database when this returns."""
    lines, body = verification()
    connection.send(*lines, body=body)
    database.wait_for_calls(1)


def wait_until_closed(server: OwnServer) -> None:
    """Until no connection is taken any more."""
    with suppress(ConnectionRefusedError):
        while True:
            Connection(server.port).socket.close()
            time.sleep(0.01)
