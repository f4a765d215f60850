"""Child processes that end with us, and what a killed earlier run left behind."""

import fcntl
import os
import random
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from embedded.children import STOP_SECONDS, interruptions_held, start_beside
from embedded.layout import HOST

PORTS = range(10_000, 32_000)  # Linux gives out 32768 and above by itself, macOS 49152 and above
_reserved: dict[int, IO[str]] = {}


def free_port(preferred: int | None = None) -> int:
    """`preferred` if it is free on this machine's loopback address, else one that is, and that stays ours.

    A port that was free a moment ago can be taken before our program listens. So the choice is from a range in which
    the operating system gives out none by itself, and a lock keeps other processes of ours off it until we end.
    Raises RuntimeError if there is none.
    """
    for port in (*([] if preferred is None else [preferred]), *random.sample(PORTS, len(PORTS))):
        if _reserve(port):
            if _can_bind(port):
                return port
            _reserved.pop(port).close()
    raise RuntimeError("No port is free on the loopback address.")


def _can_bind(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except OSError:
            return False
    return True


def _locks() -> Path:
    """The folder with a file for each port, the same for all our processes.

    Raises RuntimeError if somebody else made it: opening what they put there could overwrite a file of ours.
    """
    folder = Path(tempfile.gettempdir()) / f"keyturn-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder.lstat()
    if not stat.S_ISDIR(made.st_mode) or made.st_uid != os.getuid():
        raise RuntimeError(f"{folder} belongs to somebody else. Have it removed.")
    return folder


def _reserve(port: int) -> bool:
    """Whether the port is ours alone, among all who ask here. The lock ends with this process."""
    if port in _reserved:
        return True
    lock = (_locks() / str(port)).open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return False
    _reserved[port] = lock
    return True


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
        self.end_leftover()
        self.port = port
        try:
            with interruptions_held():
                self._process = start_beside(command, environment, folder, self._log)
                self._pid_file.write_text(str(self._process.pid))
            if not self._answers_within(patience):
                raise RuntimeError(f"{self._marker} did not start; {self._log} says why.")
        except BaseException:
            self.stop()
            raise

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

    def end_leftover(self) -> None:
        """End what an earlier process of ours left running."""
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
