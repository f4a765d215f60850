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
from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.options import address_of

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from server.options import Options

SOCKET = "KEYTURN_INHERITED_SOCKET"  # by which a worker finds its socket, set by us alone
LOOK_SECONDS = 0.1
HEALTHY_SECONDS = 10.0  # a worker that ends sooner has not got to work
MOST_FAILURES = 5  # of one place in a row, before any worker got to work
LONGEST_PAUSE_SECONDS = 5.0  # before another worker takes the place of one that has ended
FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # of prometheus_client, which reads it when it is imported
UNUSABLE = 2  # a worker's exit code: it can do nothing with its settings, and the next one could not either
STOP_RESERVE_SECONDS = 2.0  # beyond what a worker itself takes at most


@dataclass(slots=True)
class Place:
    """What stands for one worker after the other."""

    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    failures: int = 0  # in a row
    due: float = 0.0  # when the next one starts


class Supervisor:
    """`arguments` are ours, which workers get too; `sockets` are theirs."""

    def __init__(self, options: Options, arguments: Sequence[str], sockets: Sequence[socket.socket]) -> None:
        self._options, self._arguments, self._sockets = options, arguments, sockets
        self._places = [Place() for _ in sockets]
        self._was_healthy = False  # whether any worker ever got to work
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
        code = None
        while not self._stopping and code is None:
            code = self._look()
            time.sleep(LOOK_SECONDS)
        self._end()
        return code if code is not None and not self._stopping else 0

    def _look(self) -> int | None:
        """Start what is missing; the exit code, if there is no hope for any worker."""
        for place, listening in zip(self._places, self._sockets, strict=True):
            now = time.monotonic()
            if place.process is not None and place.process.poll() is None:
                self._was_healthy = self._was_healthy or now - place.began >= HEALTHY_SECONDS
                continue
            if place.process is not None:
                code = self._ended(place, place.process.returncode, now)
                if code is not None:
                    return code
            if now >= place.due and not self._stopping:
                place.process, place.began = self._start(listening.fileno()), now
        return None

    def _ended(self, place: Place, returncode: int, now: float) -> int | None:
        """When the next one takes its place. While none has got to work, what one cannot do the next one cannot."""
        place.failures = place.failures + 1 if now - place.began < HEALTHY_SECONDS else 1
        place.process, place.due = None, now + min(place.failures - 1, LONGEST_PAUSE_SECONDS)
        if not self._was_healthy and returncode == UNUSABLE:
            return UNUSABLE
        if not self._was_healthy and place.failures >= MOST_FAILURES:
            return 1
        print(f"A worker ended ({returncode}); another one starts.", file=sys.stderr, flush=True)
        return None

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
        processes = [place.process for place in self._places if place.process]
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
