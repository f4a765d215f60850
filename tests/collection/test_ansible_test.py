"""`ansible-test`, with every ansible-core from 2.17 on that a Python of this machine can run.

The newest runs all sanity tests. The others run those that load the collection into their core: the rest, such as
pylint and yamllint, read the same files by nearly the same rules. All run the units. The gate leaves out the cores
between the oldest and the newest, units on all but the oldest, whose Python is the oldest too, and pylint, which takes
as long as all other sanity tests together.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.budgets import LONG, only_long
from tests.collection import environments

LOADING = ("action-plugin-docs", "ansible-doc", "compile", "import", "runtime-metadata", "validate-modules")
OLDEST, NEWEST = environments.ends()
CORES = [
    pytest.param(core, id=core, marks=() if core in (OLDEST, NEWEST) else only_long) for core in environments.cores()
]


def ansible_test(core: str, root: Path, *words: str) -> None:
    """Run it on a copy of the collection."""
    finished = subprocess.run(
        [
            str(environments.core_programs(core) / "ansible-test"),
            *words,
            *("--local", "--python", environments.cores()[core], "--color", "no"),
        ],
        cwd=environments.checkout(root),
        env=environments.home(root, core),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, (finished.stdout + finished.stderr)[-8_000:]


@pytest.mark.parametrize("core", CORES)
def test_sanity_passes(core: str, tmp_path: Path) -> None:
    whole = core == NEWEST or (LONG and core == OLDEST)
    left_out = () if LONG else ("--skip-test", "pylint")
    ansible_test(core, tmp_path, "sanity", *(left_out if whole else [f"--test={test}" for test in LOADING]))


@pytest.mark.parametrize(
    "core", [pytest.param(core, id=core, marks=() if core == OLDEST else only_long) for core in environments.cores()]
)
def test_units_pass(core: str, tmp_path: Path) -> None:
    ansible_test(core, tmp_path, "units")


def test_the_oldest_and_the_one_that_is_used_are_among_them() -> None:
    assert environments.cores().keys() >= {"2.17", "2.19"}


def test_the_oldest_runs_on_the_oldest_python_that_a_controller_may_have() -> None:
    """Its sanity tests import every plugin of controllers there."""
    assert environments.cores()[OLDEST] == "3.10" or "3.10" not in environments.interpreters()
