"""`make run` as a newcomer meets it: it does the job, keeps the data, and cleans up after itself."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from embedded.layout import PROJECT
from embedded.processes import free_port

PATIENCE_SECONDS = 180


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


@dataclass
class Life:
    """One installation, run again and again; what each run printed, and what was seen meanwhile."""

    first: str = ""
    beside: str = ""
    busy_port: int = 0
    first_pid: int = 0
    left_after_interrupt: list[str] = field(default_factory=list)
    second: str = ""
    left_after_kill: list[str] = field(default_factory=list)
    third: str = ""
    left_at_last: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Life:
    """Begun while its port is busy, used, interrupted; begun again, used, killed; begun again, for the job alone."""
    state, life = tmp_path_factory.mktemp("state"), Life()
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        life.busy_port = port = busy.getsockname()[1]
        running = start(state, port)
        life.first_pid = running.pid
        life.first = until(running, "Log in as")
        beside = start(state, port, KEYTURN_ONCE="1")
        life.beside, _ = beside.communicate(timeout=PATIENCE_SECONDS)
        assert beside.returncode == 1
    password = re.search(r"Log in as admin with password (\S+), which is shown only now", life.first)
    assert password
    log_in(chromium, life.first, password[1])
    life.first += ended(running, signal.SIGINT)
    life.left_after_interrupt = left_running(state)

    running = start(state, port)
    life.second = until(running, "Log in as")
    log_in(chromium, life.second, password[1])
    running.kill()
    running.wait()
    life.left_after_kill = left_running(state)

    running = start(state, port, KEYTURN_ONCE="1")
    life.third, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 0, life.third
    deadline = time.monotonic() + PATIENCE_SECONDS
    while left_running(state) and time.monotonic() < deadline:
        time.sleep(0.2)
    life.left_at_last = left_running(state)
    return life


def ended(running: subprocess.Popen[str], number: signal.Signals) -> str:
    """What it prints when it is told to end."""
    running.send_signal(number)
    output, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 0, output
    return output


def log_in(chromium: Browser, output: str, password: str) -> None:
    """At the address that was printed, and see what the job has made."""
    address = re.search(r"The page: (http://localhost:\d+)\.", output)
    assert address
    page = chromium.new_page()
    page.goto(address[1])
    page.get_by_label("Login", exact=True).fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Users").click()
    expect(page.get_by_role("link", name="Build bot", exact=True)).to_be_visible(timeout=30_000)
    page.close()


def test_the_first_run_makes_everything_and_shows_the_administrators_token_and_password_once(life: Life) -> None:
    assert re.search(r"ktp_\w{73}", life.first)
    assert "changed=3" in life.first
    for output in (life.second, life.third):
        assert "ktp_" not in output
    assert "the password that was shown at first" in life.second


def test_later_runs_change_nothing(life: Life) -> None:
    for output in (life.second, life.third):
        assert "changed=0" in output
        assert "nothing had to change" in output


def test_every_run_has_the_token_checked(life: Life) -> None:
    for output in (life.first, life.second, life.third):
        assert re.search(r"ci\W+yes\W+build-bot", output)
        assert re.search(r"deploy\W+not for you", output)
        assert output.count("ktp_") <= 1


def test_a_busy_port_is_told_and_another_one_taken(life: Life) -> None:
    assert f"port {life.busy_port} is busy" in life.first


def test_a_second_run_beside_is_refused(life: Life) -> None:
    assert f"process {life.first_pid} serves http://127.0.0.1:" in life.beside
    assert "Traceback" not in life.beside


def test_an_interrupt_ends_everything_and_the_data_stay(life: Life) -> None:
    assert "the data stay" in life.first
    assert "Traceback" not in life.first
    assert life.left_after_interrupt == []


def test_what_a_killed_run_left_running_is_ended_by_the_next(life: Life) -> None:
    assert life.left_after_kill
    assert life.left_at_last == []


def test_it_can_be_ended_while_it_starts(tmp_path: Path) -> None:
    running = start(tmp_path, free_port())
    until(running, "Keyturn's server")
    output = ended(running, signal.SIGTERM)
    assert "the data stay" in output
    assert "Traceback" not in output
    assert left_running(tmp_path) == []


def test_a_port_that_is_none_is_told(tmp_path: Path) -> None:
    running = start(tmp_path, 0, KEYTURN_PORT="eighty")
    output, _ = running.communicate(timeout=PATIENCE_SECONDS)
    assert running.returncode == 1
    assert "KEYTURN_PORT is 'eighty'" in output
    assert "Traceback" not in output
