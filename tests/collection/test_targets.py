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
from tests.collection import environments

DEPLOYED = Stack.__name__ == "DeployedStack"  # by `tests.aws.plugin`
TARGETS = PROJECT / "ansible_module" / "tests" / "integration" / "targets"
MODULES = PROJECT / "ansible_module" / "plugins" / "modules"
# Lookups, filters, tests and roles, by kind and name.
OTHERS = sorted(
    f"{kind}_{path.stem}" for kind in ("lookup", "filter", "test") for path in MODULES.parent.glob(f"{kind}/*.py")
) + sorted(f"role_{path.name}" for path in (PROJECT / "ansible_module" / "roles").iterdir())
NAMES = sorted({path.parent.name for path in TARGETS.glob("*/aliases")} - set(OTHERS))
# Modules that other tests of the gate have real plays of: `test_bots`, `test_permanent_token` and `test_user`.
PLAYED_ELSEWHERE = {"bots", "permanent_token", "user"}


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(name, marks=only_long if name in PLAYED_ELSEWHERE and not DEPLOYED else (), id=name)
        for name in NAMES
    ],
)
def test_a_target(target: str, stack: Stack, second_factor_token: str, tmp_path: Path) -> None:
    run([target], stack, tmp_path, keyturn_second_factor_token=second_factor_token)


def test_targets_of_plugins_and_the_role_on_the_oldest_controller(stack: Stack, tmp_path: Path) -> None:
    """All in one play, since none of them has more than a few tasks."""
    assert set(OTHERS) == {path.parent.name for path in TARGETS.glob("*/aliases")} - set(NAMES)
    run(OTHERS, stack, tmp_path, environments.ends()[0])


def run(targets: list[str], stack: Stack, tmp_path: Path, core: str | None = None, **variables: str) -> None:
    """Play targets as roles, by the ansible-core that the project uses, or by another one."""
    variables = {"keyturn_url": stack.url, "keyturn_token": stack.secrets.read(ADMINISTRATOR) or "", **variables}
    path = tmp_path / "play.yml"
    path.write_text(
        yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "vars": variables, "roles": targets}])
    )
    finished = environments.play(path, playbook.environment("", "", {"ANSIBLE_ROLES_PATH": str(TARGETS)}), core)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_every_module_that_declares_has_one() -> None:
    declaring = {path.stem for path in MODULES.glob("*.py") if not path.stem.endswith("_info")}
    assert declaring == set(NAMES)


def test_every_module_that_tells_is_used_by_one() -> None:
    used = "".join(path.read_text() for path in TARGETS.glob("*/tasks/main.yml"))
    telling = [path.stem for path in MODULES.glob("*_info.py")]
    assert [name for name in telling if f"keyturn.hub.{name}:" not in used] == []
