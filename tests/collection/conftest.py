"""The collection, importable as Ansible imports it, and plays run by the real `ansible-playbook`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyotp
import pytest
import yaml

from embedded import playbook
from embedded.api import Api
from embedded.main_job import register_services
from embedded.stack import ADMINISTRATOR, Stack
from tests.collection.performing import returned
from tests.conftest import NewStack

ACTIONS = Path(__file__).parent / "action_plugins"


@dataclass(frozen=True)
class Run:
    """What each task returned, and all that was printed."""

    results: list[dict[str, Any]]
    output: str

    @property
    def changed(self) -> list[bool]:
        """Whether each of them changed something. None may have failed."""
        assert not [result for result in self.results if result.get("failed")]
        return [bool(result.get("changed")) for result in self.results]


Play = Callable[..., Run]


@pytest.fixture(scope="session")
def stack(new_stack: NewStack) -> Iterator[Stack]:
    """One installation for all tests of a worker; each uses accounts of its own."""
    with new_stack("collection") as stack:
        register_services(stack, stack.administrator())
        yield stack


@pytest.fixture(scope="session")
def second_factor_token(stack: Stack) -> str:
    """A token of a person with two-factor authentication on."""
    administrator, password = stack.administrator(), "correct horse battery staple"
    administrator.post("/users", {"login": "careful", "name": "Careful"})
    administrator.post("/users/careful/password", {"password": password})
    session = Api(stack.url, administrator.post("/login", {"login": "careful", "password": password})["token"])
    app = session.post("/users/me/twoFactorAuthentication", {})
    session.post("/users/me/twoFactorAuthentication", {"code": pyotp.TOTP(app["secret"]).now()})
    body = {"name": "plays", "scope": [{"key": "keyturn"}]}
    token: str = administrator.post("/users/careful/permanenttokens", body)["token"]
    return token


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
        tell = {"report": {"results": content, "to": str(report)}, "no_log": True}
        whole = [{"hosts": "localhost", "gather_facts": False, **play, "tasks": [*named, tell]}]
        path = tmp_path / "play.yml"
        path.write_text(yaml.safe_dump(whole, sort_keys=False))
        variables = environment or playbook.environment(stack.url, stack.secrets.read(ADMINISTRATOR) or "")
        variables = {**variables, "ANSIBLE_ACTION_PLUGINS": str(ACTIONS)}
        finished = playbook.run(path, variables, *arguments)
        output = finished.stdout + finished.stderr
        assert finished.returncode == 0, output
        return Run(json.loads(report.read_text()), output)

    return run


@pytest.fixture
def perform(stack: Stack) -> Play:
    """As `play`, by the modules' own programs in this process: a task costs milliseconds instead of a second. What
    `ansible-playbook` does around a module is not in it.
    """
    connection = {"url": stack.url, "token": stack.secrets.read(ADMINISTRATOR)}

    def run(*tasks: dict[str, Any], arguments: tuple[str, ...] = ()) -> Run:
        modes = {"_ansible_check_mode": "--check" in arguments, "_ansible_diff": "--diff" in arguments}
        named = (next(iter(task.items())) for task in tasks)
        return Run([returned(name, {**connection, **options, **modes}) for name, options in named], "")

    return run


def user(login: str, **options: Any) -> dict[str, Any]:
    return {"keyturn.hub.user": {"login": login, **options}}


def bot(login: str, **options: Any) -> dict[str, Any]:
    return user(login, name=login, type="bot", **options)


def token(owner: str, name: str, scope: list[str] | None = None, **options: Any) -> dict[str, Any]:
    return {
        "keyturn.hub.permanent_token": {"user": owner, "name": name, **({"scope": scope} if scope else {}), **options}
    }
