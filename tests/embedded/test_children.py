"""Programs that run beside us end with us, at whichever moment we are told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded import children
from embedded.processes import PortProcess, free_port

FOREVER = [sys.executable, "-c", "import subprocess; subprocess.run(['sleep', '600'])"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
PATIENCE_SECONDS = 20


class InterruptedPopen(subprocess.Popen[Any]):
    """A start during which somebody tells us to end."""

    started: int

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        InterruptedPopen.started = self.pid
        signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def interruption() -> Iterator[None]:
    """SIGTERM interrupts, as in `make run`."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def interrupted_start(interruption: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", InterruptedPopen)


def gone(leader: int) -> bool:
    """Whether the program and all that it started have ended, within some seconds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.01)
    return False


def test_a_program_that_starts_while_we_are_told_to_end_is_ended(interrupted_start: None) -> None:
    with pytest.raises(KeyboardInterrupt):
        children.run(FOREVER, os.environ)
    assert gone(InterruptedPopen.started)


def test_a_server_that_starts_while_we_are_told_to_end_is_ended(interrupted_start: None, tmp_path: Path) -> None:
    server = PortProcess(tmp_path / "pid", tmp_path / "log", "sleep")
    with pytest.raises(KeyboardInterrupt):
        server.launch(FOREVER, free_port(), PATIENCE_SECONDS, tmp_path, os.environ)
    assert gone(InterruptedPopen.started)
    assert not (tmp_path / "pid").exists()


def test_a_program_that_does_not_listen_is_ended_too(interruption: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "STOP_SECONDS", 0.1)

    def interrupted() -> None:
        with children.child(STUBBORN, os.environ) as running:
            started.append(running)
            assert running.stdout
            assert running.stdout.readline() == "deaf\n"
            signal.raise_signal(signal.SIGTERM)

    started: list[subprocess.Popen[str]] = []
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert gone(started[0].pid)


def test_what_a_program_prints_and_its_exit_code_are_told() -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    assert children.run([sys.executable, "-c", script], os.environ) == (3, "out\n", "err\n")


def test_an_interruption_during_a_block_comes_at_its_end(interruption: None) -> None:
    reached = []

    def interrupted() -> None:
        with children.interruptions_held():
            signal.raise_signal(signal.SIGTERM)
            reached.append("the end of the block")

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reached
