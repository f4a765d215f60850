"""The collection's integration targets: each module from nothing to something to something else to nothing.

`ansible-test integration` finds them as well, on a machine with a server; here `ansible-playbook` runs each as a role.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from embedded import playbook
from embedded.layout import PROJECT
from embedded.stack import ADMINISTRATOR, Stack
from tests.budgets import only_long

DEPLOYED = Stack.__name__ == "DeployedStack"  # by `tests.aws.plugin`
TARGETS = PROJECT / "ansible_module" / "tests" / "integration" / "targets"
MODULES = PROJECT / "ansible_module" / "plugins" / "modules"
NAMES = sorted(path.parent.name for path in TARGETS.glob("*/aliases"))
# Modules that other tests of the gate have real plays of: `test_bots`, `test_permanent_token`, `test_user`, and the
# target of `bots` on the deployed package.
PLAYED_ELSEWHERE = {"bots", "permanent_token", "user"}


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(name, marks=only_long if name in PLAYED_ELSEWHERE and not DEPLOYED else (), id=name)
        for name in NAMES
    ],
)
def test_a_target(target: str, stack: Stack, second_factor_token: str, tmp_path: Path) -> None:
    token = stack.secrets.read(ADMINISTRATOR) or ""
    variables = {
        "keyturn_url": stack.url,
        "keyturn_token": token,
        "keyturn_second_factor_token": second_factor_token,
    }
    path = tmp_path / "play.yml"
    path.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": variables, "roles": [target]}])
    )
    finished = playbook.run(path, playbook.environment("", "", {"ANSIBLE_ROLES_PATH": str(TARGETS)}))
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_module_that_declares_has_one() -> None:
    declaring = {path.stem for path in MODULES.glob("*.py") if not path.stem.endswith("_info")}
    assert declaring == set(NAMES)


def test_every_module_that_tells_is_used_by_one() -> None:
    used = "".join(path.read_text() for path in TARGETS.glob("*/tasks/main.yml"))
    telling = [path.stem for path in MODULES.glob("*_info.py")]
    assert [name for name in telling if f"keyturn.hub.{name}:" not in used] == []
