"""The command line, as a program of its own, against a real server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from keyturn_cli import redaction

from embedded.api import Api
from embedded.layout import BIN
from embedded.stack import Stack
from tests.conftest import NewStack

PROGRAM = BIN / "keyturn"


@dataclass
class Terminal:
    """Where the commands are typed: `home` keeps who has logged in."""

    stack: Stack
    home: Path
    token: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a shell has set, and nothing of ours."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KEYTURN_", "AWS_"))}
        known = {"KEYTURN_TOKEN": self.token} if self.token else {}
        path = f"{BIN}:{os.environ['PATH']}"
        home = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / ".config"), "PATH": path}
        return {**kept, **home, "KEYTURN_ADDRESS": self.stack.url, **known}

    def run(self, *arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """One command."""
        return subprocess.run(
            [str(PROGRAM), *arguments],
            input=typed,
            capture_output=True,
            text=True,
            env={**self.environment, **environment},
            timeout=120,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """What a command that must succeed says to programs."""
        finished = self.run("--json", *arguments)
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout)


@pytest.fixture(autouse=True)
def nothing_stays_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that has just started has named no path yet, of which each has to be looked for in each complaint."""
    monkeypatch.setattr(redaction, "_named", set())


@pytest.fixture(scope="session")
def stack(new_stack: NewStack) -> Iterator[Stack]:
    with new_stack("cli") as stack:
        stack.administrator()
        yield stack


@pytest.fixture
def api(stack: Stack) -> Api:
    return stack.administrator()


@pytest.fixture
def terminal(stack: Stack, tmp_path: Path) -> Terminal:
    """An administrator's, by the environment."""
    return Terminal(stack, tmp_path, stack.secrets.read("administrator"))
