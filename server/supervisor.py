"""Several workers on one address: each a process of its own, started again if it ends by itself.

Each has a socket of its own, so that Linux hands out connections evenly. All sockets are ours: what waits at that of a
worker that has died, the next one answers.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from server.options import address_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from server.options import Options

SOCKET = "KEYTURN_SERVER_SOCKET"  # by which a worker finds the socket that it inherits
LOOK_SECONDS = 0.1
HEALTHY_SECONDS = 10.0  # a worker that ends sooner has not got to work
MOST_FAILURES = 5  # in a row
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # of prometheus_client, which reads it when it is imported
UNUSABLE = 2  # a worker's exit code: it can do nothing with its settings, and the next one could not either
STOP_RESERVE_SECONDS = 2.0  # beyond what a worker itself takes at most


class Supervisor:
    """`arguments` are ours, which workers get too; `sockets` are theirs."""

    def __init__(self, options: Options, arguments: Sequence[str], sockets: Sequence[socket.socket]) -> None:
        self._options, self._arguments, self._sockets = options, arguments, sockets
        self._workers: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="keyturn-metrics-") if options.metrics else None
        self._stopping = False

    def run(self) -> int:
        """Until we are told to stop, or no worker gets to work; the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._stop)
        if self._folder:
            os.environ[FOLDER] = self._folder.name  # before the library is imported
            from server.metrics_address import publish

            publish(*address_of(self._options.metrics), self._folder.name)
        failures = 0
        while not self._stopping and failures < MOST_FAILURES:
            failures = self._look(failures)
            time.sleep(LOOK_SECONDS)
        self._end()
        return 0 if self._stopping else 1

    def _look(self, failures: int) -> int:
        """Start what is missing; how many workers in a row have ended before they got to work."""
        for number in range(self._options.workers):
            process, began = self._workers.get(number, (None, 0.0))
            if process is not None and process.poll() is None:
                continue
            if process is not None:
                failures = failures + 1 if time.monotonic() - began < HEALTHY_SECONDS else 1
                if process.returncode == UNUSABLE:
                    return MOST_FAILURES
                _forget(process.pid, self._folder)
                print(f"A worker ended ({process.returncode}); another one starts.", file=sys.stderr, flush=True)
                time.sleep(min(failures - 1, 5))
            if not self._stopping:
                self._workers[number] = self._start(self._sockets[number].fileno()), time.monotonic()
        return failures

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 - our own arguments
            [sys.executable, "-m", "server", *self._arguments],
            env={**os.environ, SOCKET: f"{number} {os.getpid()}"},
            pass_fds=(number,),
        )

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True

    def _end(self) -> None:
        """Have all workers finish, and end those that take longer than they may."""
        for each in self._sockets:
            each.close()
        processes = [process for process, _ in self._workers.values()]
        for process in processes:
            process.terminate()
        end = time.monotonic() + self._options.stop_seconds + STOP_RESERVE_SECONDS
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
            process.kill()
            process.wait()
        if self._folder:
            self._folder.cleanup()


def _forget(pid: int, folder: tempfile.TemporaryDirectory[str] | None) -> None:
    """A worker that has ended has no more of what is now; what it counted stays."""
    if folder:
        for path in Path(folder.name).glob(f"gauge_live*_{pid}.db"):
            path.unlink()
