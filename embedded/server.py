"""The server, as a child process."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from embedded.layout import HOST, PROJECT
from embedded.processes import PortProcess, free_port

START_SECONDS = 30.0
MODULE = "server"
MARKER = f"-m {MODULE} --host {HOST}"  # which no other program has in its command line


class Server(PortProcess):
    """One server; `environment` holds Keyturn's settings, `log` gets what it prints, `options` are those of
    `python -m server`."""

    def __init__(self, environment: Mapping[str, str], log: Path, pid_file: Path, *options: str) -> None:
        super().__init__(pid_file, log, MARKER)
        self.address = ""
        self._options = options
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}

    def start(self, preferred_port: int | None = None) -> None:
        """Serve on `preferred_port` if it is free, else on one that is."""
        port = free_port(preferred_port)
        command = [sys.executable, "-m", MODULE, "--host", HOST, "--port", str(port), *self._options]
        # A browser's passkeys belong to a host name, and localhost is the one that needs no certificate.
        self.address = f"http://localhost:{port}"
        environment = {**self._environment, "KEYTURN_ADDRESS": self.address}
        self.launch(command, port, START_SECONDS, PROJECT, environment)
