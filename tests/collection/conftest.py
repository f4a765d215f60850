"""The collection, importable as Ansible imports it, and plays run by the real `ansible-playbook`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded import playbook
from embedded.main_job import register_services
from embedded.stack import ADMINISTRATOR, Stack

sys.path.insert(0, str(playbook.collections()))


@dataclass(frozen=True)
class Run:
    """What each task returned, and all that was printed."""

    results: list[dict[str, Any]]
    output: str

    @property
    def changed(self) -> list[bool]:
        return [bool(result.get("changed")) for result in self.results]


Play = Callable[..., Run]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One installation for a module of tests; each test uses accounts of its own."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        register_services(stack, stack.administrator())
        yield stack


@pytest.fixture
def play(stack: Stack, tmp_path: Path) -> Play:
    """Runs tasks in one play and returns what they returned, in order; failures are results too."""

    def run(
        *tasks: dict[str, Any], arguments: tuple[str, ...] = (), environment: dict[str, str] | None = None, **play: Any
    ) -> Run:
        report = tmp_path / "report.json"
        names = [f"r{number}" for number, task in enumerate(tasks) if "block" not in task]
        named = [
            task if "block" in task else {"register": f"r{number}", "ignore_errors": True, **task}
            for number, task in enumerate(tasks)
        ]
        content = "{{ [" + ", ".join(names) + "] | to_json }}"
        tell = {
            "ansible.builtin.copy": {"content": content, "dest": str(report), "mode": "0600"},
            "check_mode": False,
            "no_log": True,
        }
        whole = [{"hosts": "localhost", "gather_facts": False, **play, "tasks": [*named, tell]}]
        path = tmp_path / "play.yml"
        path.write_text(yaml.safe_dump(whole, sort_keys=False))
        variables = environment or playbook.environment(stack.url, stack.secrets.read(ADMINISTRATOR) or "")
        finished = playbook.run(path, variables, *arguments)
        output = finished.stdout + finished.stderr
        assert finished.returncode == 0, output
        return Run(json.loads(report.read_text()), output)

    return run


def user(login: str, **options: Any) -> dict[str, Any]:
    return {"keyturn.hub.user": {"login": login, **options}}


def bot(login: str, **options: Any) -> dict[str, Any]:
    return user(login, name=login, type="bot", **options)


def token(owner: str, name: str, scope: list[str] | None = None, **options: Any) -> dict[str, Any]:
    return {
        "keyturn.hub.permanent_token": {"user": owner, "name": name, **({"scope": scope} if scope else {}), **options}
    }
