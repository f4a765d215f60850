"""Programs that we run beside us, none of which is left behind when we are told to end."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

STOP_SECONDS = 5.0
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptions_held() -> Iterator[None]:
    """Ctrl-C and SIGTERM have their effect at the end of the block.

    For the moments between a program's start and our knowing of it: what ends us there would leave it running.
    """
    if threading.current_thread() is not threading.main_thread():  # signals reach the main thread alone
        yield
        return
    caught: list[int] = []
    before = {number: signal.signal(number, lambda which, _: caught.append(which)) for number in INTERRUPTIONS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in caught:
            signal.raise_signal(late)


def start_beside(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path
) -> subprocess.Popen[bytes]:
    """A program that runs until somebody ends it. What it prints goes behind what `log` holds.

    What it writes is its owner's alone, as its log is: it may hold data of an installation.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as end_of_log:
        # A session of its own, so that Ctrl-C reaches us alone and we end things in order.
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=end_of_log,
            stderr=end_of_log,
            start_new_session=True,
            umask=0o077,
        )


@contextmanager
def child(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None, errors: int | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A program whose output is read, as long as the block lasts; `errors` says where its standard error goes.

    When the block is left by an exception, the program is ended with all that it has started.
    """
    running: subprocess.Popen[str] | None = None
    try:
        with interruptions_held():
            running = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
        yield running
        running.wait()
    except BaseException:
        if running:
            end_session(running)
        raise
    finally:
        for stream in (running.stdout, running.stderr) if running else ():
            if stream:
                stream.close()


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path | None = None,
    errors: int | None = subprocess.PIPE,
) -> tuple[int, str, str]:
    """Run a program to its end: its exit code, what it printed, and its errors (without any if they go elsewhere)."""
    with child(command, environment, folder, errors) as running:
        output, error_output = running.communicate()
    return running.returncode, output, error_output or ""


def end_session(running: subprocess.Popen[str]) -> None:
    """End a program and what it has started, politely first, and wait for its end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(running.pid, number)
        with suppress(subprocess.TimeoutExpired):
            running.wait(STOP_SECONDS)
