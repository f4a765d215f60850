"""`make run` as a newcomer meets it: it does the job, keeps the data, and cleans up after itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded.layout import PROJECT
from embedded.processes import free_port

PATIENCE_SECONDS = 90


def start(state: Path, port: int, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "embedded.run"],
        cwd=PROJECT,
        env={**os.environ, "KEYTURN_STATE": str(state), "KEYTURN_PORT": str(port), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def once(state: Path, port: int) -> str:
    running = start(state, port, KEYTURN_ONCE="1")
    output, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 0, output
    return output


def until(running: subprocess.Popen[str], text: str) -> str:
    """What it prints, up to a line that holds the text."""
    assert running.stdout
    output = ""
    for line in running.stdout:
        output += line
        if text in line:
            return output
    raise AssertionError(f"{text!r} was never printed:\n{output}")


def left_running(state: Path) -> list[str]:
    """Processes that work for this installation: the engine, by its folder; the server, by its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            environment = (process / "environ").read_bytes().decode(errors="replace")
        except (OSError, ProcessLookupError):
            continue
        if int(process.name) != os.getpid() and (str(state) in command or f"KEYTURN_STATE={state}" in environment):
            found.append(command)
    return found


def test_the_second_run_changes_nothing(tmp_path: Path) -> None:
    port = free_port()
    first, second = once(tmp_path, port), once(tmp_path, port)
    administrator = re.search(r"ktp_\w{73}", first)
    assert administrator
    assert "changed=3" in first
    assert "changed=0" in second
    assert "nothing had to change" in second
    assert "ktp_" not in second
    for output in (first, second):
        assert re.search(r"ci\W+yes\W+build-bot", output)
        assert re.search(r"deploy\W+not for you", output)
        assert output.count("ktp_") <= 1
    assert left_running(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_stopped_and_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    running = start(tmp_path, free_port())
    until(running, "Serving on")
    assert left_running(tmp_path)
    running.send_signal(number)
    output, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 0
    assert "the data stay" in output
    assert "Traceback" not in output
    assert left_running(tmp_path) == []


def test_a_port_that_is_none_is_told(tmp_path: Path) -> None:
    running = start(tmp_path, 0, KEYTURN_PORT="eighty")
    output, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 1
    assert "KEYTURN_PORT is 'eighty'" in output
    assert "Traceback" not in output


def test_a_killed_run_and_a_busy_port_are_handled_and_a_second_run_beside_is_refused(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        running = start(tmp_path, port)
        output = until(running, "Serving on")
        assert f"port {port} is busy" in output

        beside = start(tmp_path, port, KEYTURN_ONCE="1")
        refusal, _ = beside.communicate(timeout=PATIENCE_SECONDS)
        assert beside.returncode == 1
        assert f"process {running.pid} serves http://127.0.0.1:" in refusal
        assert "Traceback" not in refusal

    running.kill()
    running.wait()
    assert left_running(tmp_path)
    assert "nothing had to change" in once(tmp_path, port)
    deadline = time.monotonic() + 10
    while left_running(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left_running(tmp_path) == []
