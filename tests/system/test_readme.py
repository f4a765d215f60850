"""What the README tells a newcomer to type, typed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import playbook
from embedded.layout import PROJECT
from embedded.main_job import declare_bots, register_services
from embedded.stack import ADMINISTRATOR, Stack
from tests.conftest import NewStack

README = (PROJECT / "README.md").read_text()


@pytest.fixture(scope="module")
def ran(new_stack: NewStack) -> Iterator[Stack]:
    """The state after `make run`."""
    with new_stack("readme") as stack:
        api = stack.administrator()
        register_services(stack, api)
        declare_bots(stack, api)
        yield stack


def test_the_curl_lines_answer(ran: Stack) -> None:
    lines = re.findall(r"^    (API=.*|curl .*)$", README, re.MULTILINE)
    assert len(lines) == 5
    script = "\necho\n".join(lines).replace("http://127.0.0.1:8000", ran.url)
    script = script.replace(".keyturn/secrets", str(ran.secrets.folder))
    if shutil.which("curl") is None:
        script = f'curl() {{ {sys.executable} -m tests.curl "$@"; }}\n{script}'
    finished = subprocess.run(["bash", "-euc", script], cwd=PROJECT, capture_output=True, text=True, check=True)
    users, tokens, created, told = map(json.loads, finished.stdout.split("\n")[1:])
    assert {user["login"] for user in users["users"]} >= {"admin", "build-bot"}
    assert {token["name"] for token in tokens["permanenttokens"]} == {"build", "release"}
    assert created["token"].startswith("ktp_")
    assert told["username"] == "build-bot"


def test_the_playbook_makes_a_working_token(ran: Stack, tmp_path: Path) -> None:
    text = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert text
    path = tmp_path / "my-bots.yml"
    path.write_text(text.group(1))
    environment = playbook.environment(ran.url, ran.secrets.read(ADMINISTRATOR) or "")
    first, second = (playbook.run(path, environment) for _ in range(2))
    assert playbook.changed_in(first.stdout) == 3, first.stdout
    assert playbook.changed_in(second.stdout) == 0, second.stdout
    assert (tmp_path / "my-bot.token").read_text().startswith("ktp_")
