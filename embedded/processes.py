"""Child processes that end with us, and what a killed earlier run left behind."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from embedded.layout import HOST

STOP_SECONDS = 5.0


def free_port(preferred: int | None = None) -> int:
    """`preferred` if it is free on this machine's loopback address, else one that is."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, port))
            except OSError:
                continue
            number: int = candidate.getsockname()[1]
            return number
    raise OSError("No port is free on the loopback address.")


class PortProcess:
    """A program that serves a port of the loopback address, for as long as we want it.

    `pid_file` keeps its number, so that the run after one that was killed can end it; `marker` is a
    text in its command line, without which the number belongs to another program by now.
    """

    def __init__(self, pid_file: Path, log: Path, marker: str) -> None:
        self._pid_file = pid_file
        self._log = log
        self._marker = marker
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The address, without a path."""
        return f"http://{HOST}:{self.port}"

    def launch(
        self, command: list[str], port: int, patience: float, folder: Path, environment: Mapping[str, str]
    ) -> None:
        """Run the command until it answers on `port`. Raises RuntimeError after `patience` seconds."""
        self._end_leftover()
        self.port = port
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            # A session of its own, so that Ctrl-C reaches us alone and we stop things in order.
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._process.pid))
        if not self._answers_within(patience):
            self.stop()
            raise RuntimeError(f"{self._marker} did not start; {self._log} says why.")

    def stop(self) -> None:
        """End it, politely first, and wait for its end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def _answers_within(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._process and self._process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((HOST, self.port)) == 0:
                    return True
            time.sleep(0.05)
        return False

    def _end_leftover(self) -> None:
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return
        if self._marker in _command_line(pid):
            os.kill(pid, signal.SIGKILL)


def _command_line(pid: int) -> str:
    """How the process was called; empty if there is none. Linux has it as a file, macOS has `ps`."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    listing = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    return listing.stdout
