"""The command of `--exec`: what it starts does not go on when the secret is taken back, with a terminal or without."""

from __future__ import annotations

import json
import os
import pty
import signal
import time
from pathlib import Path

import pytest
from keyturn_cli import main, running
from keyturn_cli.errors import Problem
from keyturn_cli.patience import Patience

from tests.cli.test_errors import SECRET, TOKEN
from tests.cli.test_other_answers import Other, other

__all__ = ["other"]
LATER = 0.6


@pytest.mark.parametrize(
    "command",
    [
        "sleep {0}; cat > {1}",
        "(sleep {0}; echo x > {1}) & sleep 5",
        "(sleep {0}; echo x > {1}) & exit 3",
        "trap '' TERM; sleep {0}; echo x > {1}; sleep 5",
        "(trap '' TERM; sleep {0}; echo x > {1}) & sleep 5",
    ],
)
def test_nothing_of_a_command_that_failed_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    monkeypatch.setattr(running, "TERMINATION_SECONDS", 0.2)
    with pytest.raises(Problem):
        running.run(command.format(LATER, tmp_path / "late"), "secret", Patience(0.15))
    time.sleep(LATER + 0.2)
    assert not (tmp_path / "late").exists()


def in_terminal(folder: Path, command: str, typed: bytes, seconds: float) -> str:
    """What becomes of a command in a terminal of its own, where this is typed once it has begun."""
    child, terminal = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # as in a terminal, also of a run in the background
        try:
            running.run(command, "secret", Patience(seconds))
            (folder / "outcome").write_text("done")
        except BaseException as failure:
            (folder / "outcome").write_text(getattr(failure, "message", repr(failure)))
        finally:
            os._exit(0)
    while not (folder / "begun").exists():
        time.sleep(0.02)
    os.write(terminal, typed)
    os.waitpid(child, 0)
    os.close(terminal)
    return (folder / "outcome").read_text()


@pytest.mark.parametrize(
    ("ends", "typed", "seconds", "outcome"),
    [
        ("read x < /dev/tty; test $x = yes", b"yes\n", 10, "done"),
        ("sleep 9", b"\x03", 10, "the command was interrupted"),
        ("(sleep 1; touch late) & sleep 9", b"", 0.4, "the command took longer than --timeout"),
    ],
    ids=["asked", "interrupted", "late"],
)
def test_at_a_terminal_it_may_ask_and_be_interrupted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: str, typed: bytes, seconds: float, outcome: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert in_terminal(tmp_path, f"touch begun; {ends}", typed, seconds) == outcome
    time.sleep(1 if "late" in ends else 0)
    assert not (tmp_path / "late").exists()


def test_json_is_all_that_is_on_the_standard_output(
    other: Other, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other.answer = lambda method, path: (200, json.dumps({"id": TOKEN, "name": "x"}))
    (tmp_path / "token").write_text(SECRET)
    arguments = ["token", "rotate", "--write", str(tmp_path / "token"), "--exec", "echo words"]
    assert main.run(["--json", *arguments]) == 0
    out, err = capfd.readouterr()
    assert (json.loads(out)["id"], "words" in err) == (TOKEN, True)
    assert main.run(arguments) == 0
    assert capfd.readouterr().out == "words\n"
