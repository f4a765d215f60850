"""The app under Chalice's local server, as a child process."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from embedded.layout import BIN, HOST, PROJECT
from embedded.processes import end_leftover, free_port, stop, wait_for_port

START_SECONDS = 30.0


class Server:
    """One HTTP server; `environment` holds Keyturn's settings, `log` gets what it prints.

    `pid_file` keeps the process's number, for the run after one that was killed.
    """

    def __init__(self, environment: Mapping[str, str], log: Path, pid_file: Path) -> None:
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._log = log
        self._pid_file = pid_file
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://{HOST}:{self.port}"

    def start(self, port: int | None = None) -> None:
        """Serve on `port` if it is free, else on one that is; a leftover of a killed run is ended first."""
        end_leftover(self._pid_file, "chalice local")
        self.port = free_port(port)
        command = [
            str(BIN / "chalice"),
            "local",
            "--stage",
            "local",
            "--host",
            HOST,
            "--port",
            str(self.port),
            "--no-autoreload",
        ]
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
        self._pid_file.write_text(str(self.process.pid))
        if not wait_for_port(self.port, self.process, START_SECONDS):
            self.stop()
            raise RuntimeError(f"The server did not start; {self._log} says why.")

    def stop(self) -> None:
        """End the server."""
        if self.process:  # else the file may be that of another run
            stop(self.process)
            self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the server as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
