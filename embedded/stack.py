"""Database, server and administrator of a local installation, in one folder."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol

from embedded.api import Api
from embedded.children import run
from embedded.dynamodb import DynamoDBLocal
from embedded.layout import PROJECT
from embedded.secrets_folder import SecretsFolder, close
from embedded.server import Server
from embedded.worker import SCHEDULE_SECONDS, Worker

ADMINISTRATOR = "administrator"
PASSWORD = "administrator-password"


class AlreadyRunning(Exception):
    """Another process has this folder's stack; the message says which."""


class Database(Protocol):
    """DynamoDB, as long as the stack runs."""

    @property
    def url(self) -> str:
        """Its address."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What Keyturn's settings need in order to use it."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Stack:
    """One installation. What it keeps between runs is under `folder`, where nobody else looks."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        """`database`: in place of an engine of its own, with its data below `folder`."""
        close(folder)
        self.folder = folder
        self.secrets = SecretsFolder(folder / "secrets")
        self.database = database or DynamoDBLocal(folder / "database")
        self.server: Server | None = None
        self.worker: Worker | None = None
        self._lock: IO[str] | None = None

    @property
    def url(self) -> str:
        """The server's address."""
        assert self.server
        return self.server.url

    @property
    def page(self) -> str:
        """The same as browsers need it: passkeys and cookies belong to a name."""
        assert self.server
        return self.server.address

    @property
    def environment(self) -> dict[str, str]:
        """The settings that the server gets."""
        return {
            **self.database.environment,
            "KEYTURN_TAG_KEYS": self._tag_keys(),
            "KEYTURN_SIGNING_KEYS_FILE": str(self.folder / "server" / "signing-keys.json"),
            "KEYTURN_INTERNAL_RECEIVERS": "localhost 127.0.0.1",
        }

    def lock(self) -> None:
        """Nobody else may run a stack on this folder from now on. Raises AlreadyRunning."""
        self._lock = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.seek(0)
            raise AlreadyRunning(f"This installation is running already: {self._lock.read().strip()}.") from None

    def announce(self) -> None:
        """Leave a word for whoever comes while we run."""
        assert self._lock
        self._lock.truncate(0)
        self._lock.write(f"process {os.getpid()} serves {self.url}")
        self._lock.flush()

    def start(self, port: int | None = None) -> None:
        """Start the database and a server on it."""
        self.database.start()
        self.start_server(port)

    def start_server(self, port: int | None = None) -> Server:
        """Start another server on the database; the first one becomes `server`."""
        self._run("chalicelib.signing", "ensure")
        name = "second-server" if self.server else "server"
        server = Server(self.environment, self.folder / "server.log", self.folder / f"{name}.pid")
        server.start(port)
        self.server = self.server or server
        return server

    def start_worker(self, schedule_seconds: float = SCHEDULE_SECONDS) -> None:
        """Start what sends events and looks at tokens in time."""
        environment = {**self.environment, "KEYTURN_ADDRESS": self.page}
        self.worker = Worker(environment, self.folder / "server", self.folder / "worker.log")
        self.worker.start(schedule_seconds)

    def administrator(self) -> Api:
        """A client with the administrator's token, made if there is none that works."""
        token = self.secrets.read(ADMINISTRATOR)
        if token is None or Api(self.url, token).call("GET", "/users/me").status_code == 401:
            token = self.bootstrap()
            self.secrets.write(ADMINISTRATOR, token)
        return Api(self.url, token)

    def new_password(self) -> str | None:
        """A password with which the administrator can log in, if there is none yet."""
        known = self.secrets.read(PASSWORD)
        if known:
            return None
        # What was set but not kept would lock everybody out: a run that was killed in between leaves this mark.
        was_killed = known == ""
        self.secrets.write(PASSWORD, "")
        password = self._run("chalicelib.bootstrap", "--password" if was_killed else "--first-password")
        if not password:  # somebody has set one themselves
            self.secrets.remove(PASSWORD)
            return None
        self.secrets.write(PASSWORD, password)
        return password

    def bootstrap(self) -> str:
        """A new administrator's token, made as an operator would make it."""
        return self._run("chalicelib.bootstrap", "--create-table")

    def _run(self, module: str, *arguments: str) -> str:
        """What a command of the product prints, run as an operator would run it."""
        command = [sys.executable, "-m", module, *arguments]
        code, output, errors = run(command, {**os.environ, **self.environment}, PROJECT)
        if code:
            raise RuntimeError(f"{module} failed: {errors.strip()}")
        return output.strip()

    def stop(self) -> None:
        """End server and database; the data stay."""
        if self.worker:
            self.worker.stop()
        if self.server:
            self.server.stop()
        self.database.stop()

    def __enter__(self) -> Stack:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _tag_keys(self) -> str:
        keys = SecretsFolder(self.folder / "server")
        known = keys.read("tag-keys")
        if known is None:
            known = "local:" + base64.b64encode(secrets.token_bytes(32)).decode()
            keys.write("tag-keys", known)
        return known
