"""The app under Chalice's local server, as a child process."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from embedded.layout import BIN, HOST, PROJECT
from embedded.processes import free_port, stop, wait_for_port

START_SECONDS = 30.0


class Server:
    """One HTTP server; `environment` holds Keyturn's settings, `log` gets what it prints."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._log = log
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://{HOST}:{self.port}"

    def start(self, port: int | None = None) -> None:
        """Serve on `port` if it is free, else on one that is."""
        self.port = free_port(port)
        command = [str(BIN / "chalice"), "local", "--host", HOST, "--port", str(self.port), "--no-autoreload"]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                env=self._environment,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if not wait_for_port(self.port, self.process, START_SECONDS):
            self.stop()
            raise RuntimeError(f"The server did not start; {self._log} says why.")

    def stop(self) -> None:
        """End the server."""
        if self.process:
            stop(self.process)

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
