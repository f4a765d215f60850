"""Servers of this machine, on a database in which nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from embedded.dynamodb import credentials
from embedded.server import Server
from tests.conftest import TAG_KEYS
from tests.server.database import EmptyDatabase


@pytest.fixture(scope="session")
def empty_database() -> Iterator[EmptyDatabase]:
    with EmptyDatabase() as database:
        yield database


class OwnServer(Server):
    """A server with its log."""

    def __init__(self, folder: Path, environment: dict[str, str], *options: str) -> None:
        self.log, self.pid_file = folder / "server.log", folder / "server.pid"
        super().__init__(environment, self.log, self.pid_file, *options)

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text())

    def exit_code(self) -> int:
        """Once it has ended."""
        assert self._process
        return self._process.wait(60)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it told of requests so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


NewServer = Callable[..., OwnServer]


@pytest.fixture(scope="module")
def new_server(empty_database: EmptyDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewServer]:
    """Starts servers with these options."""
    with ExitStack() as stack:

        def start(*options: str, **environment: str) -> OwnServer:
            settings = {
                **credentials("tests"),
                "KEYTURN_DYNAMODB_ENDPOINT": empty_database.url,
                "KEYTURN_TAG_KEYS": TAG_KEYS,
                **environment,
            }
            server = OwnServer(tmp_path_factory.mktemp("server"), settings, *options)
            stack.callback(server.stop)
            server.start()
            return server

        yield start
