"""Child processes that end with us, and what a killed earlier run left behind."""

import os
import signal
import socket
import subprocess
import time
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


def wait_for_port(port: int, process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether something answers on the port before the time is over or the process has ended."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(0.05)
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process, politely first, and wait for its end."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def end_leftover(pid_file: Path, marker: str) -> bool:
    """End the process that a killed run recorded in `pid_file`, if it is still that program.

    `marker` is a text in the program's command line; without it, the number now belongs to another.
    """
    try:
        pid = int(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return False
    listing = subprocess.run(["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False)
    pid_file.unlink(missing_ok=True)
    if marker not in listing.stdout:
        return False
    os.kill(pid, signal.SIGKILL)
    return True
