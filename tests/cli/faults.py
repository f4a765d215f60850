"""The command line, run with one thing going wrong: killed, ended, without room on the disk, at any of its steps.

Each run is a fork of the test's process, so that a kill is one, and takes milliseconds. A step is whatever a program
does that stays when it is gone: what it writes, renames, links or removes, a request, and a command that it starts.
"""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from keyturn_cli import api, main, patience

STEPS: tuple[tuple[Any, str], ...] = (
    (tempfile, "mkstemp"),
    (os, "fsync"),
    (os, "replace"),
    (os, "link"),
    (Path, "unlink"),
    (api.Api, "_ask"),
    (subprocess, "Popen"),
)
NEED_ROOM = {"mkstemp", "fsync", "link"}


class Fault(Enum):
    """What goes wrong at a step, or from there on."""

    NONE = "nothing"
    KILLED_BEFORE = "killed before it"
    KILLED_AFTER = "killed after it"
    ENDED = "told to end"
    FULL = "no room on the disk from there on"


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `steps`: how many there were."""

    code: int
    stdout: str
    stderr: str
    steps: int

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


def run(
    arguments: Sequence[str],
    environment: dict[str, str],
    folder: Path,
    fault: Fault = Fault.NONE,
    at: int = -1,
    stdout: Path | None = None,
) -> Outcome:
    """One command, with this fault at the step of this number. `stdout`: a device in place of a file."""
    written = [folder / name for name in ("stdout", "stderr", "steps")]
    for file in written:
        file.write_text("")
    printed = [stdout or written[0], *written[1:]]
    child = os.fork()
    if child == 0:
        try:
            _in_child(arguments, environment, printed, fault, at)
        finally:
            os._exit(99)
    _, status = os.waitpid(child, 0)
    output, errors, steps = (file.read_text() for file in written)
    return Outcome(os.waitstatus_to_exitcode(status), output, errors, len(steps))


def _in_child(
    arguments: Sequence[str], environment: dict[str, str], written: Sequence[Path], fault: Fault, at: int
) -> None:
    for number, file in ((1, written[0]), (2, written[1])):
        os.dup2(os.open(file, os.O_WRONLY), number)
    os.environ.update(environment)
    for name in set(os.environ) - set(environment):
        if name.startswith("KEYTURN_"):
            del os.environ[name]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    main.Patience = lambda seconds, told: patience.Patience(seconds, told, pause=lambda wait: None)  # type: ignore
    api._pool.cache_clear()  # the connections are the parent's
    import sys

    sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
    with _faulty(os.open(written[2], os.O_WRONLY | os.O_APPEND), fault, at):
        code = main.run(arguments)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # of a device that is full; `main` does the same
            stream.flush()
    os._exit(code)


@contextmanager
def _faulty(log: int, fault: Fault, at: int) -> Iterator[None]:
    seen = 0

    def wrapped(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **named: Any) -> Any:
            nonlocal seen
            number, seen = seen, seen + 1
            os.write(log, b".")
            if fault is Fault.FULL and number >= at and name in NEED_ROOM:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if number == at and fault is Fault.KILLED_BEFORE:
                os.kill(os.getpid(), signal.SIGKILL)
            if number == at and fault is Fault.ENDED:
                os.kill(os.getpid(), signal.SIGTERM)
            result = original(*arguments, **named)
            if number == at and fault is Fault.KILLED_AFTER:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return step

    for holder, name in STEPS:
        setattr(holder, name, wrapped(name, getattr(holder, name)))
    yield
