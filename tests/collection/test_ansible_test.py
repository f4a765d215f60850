"""`ansible-test`, with every ansible-core from 2.17 on that a Python of this machine can run.

The oldest and the newest run all sanity tests. Those between run the ones that load the collection into their core
(the others, such as pylint and yamllint, read the same files by nearly the same rules), and all run the units. Two run
side by side: each is a chain of small programs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.collection import environments

CORES = list(environments.cores())
LOADING = ("action-plugin-docs", "ansible-doc", "compile", "import", "runtime-metadata", "validate-modules")


def ansible_test(core: str, python: str, root: Path) -> str:
    """What went wrong, or nothing."""
    bin = environments.programs(f"ansible-core-{core}", environments.interpreters()[python])
    collection, variables = environments.checkout(root), environments.home(root, bin)
    whole = core in (CORES[0][0], CORES[-1][0])
    chosen = [] if whole else [word for test in LOADING for word in ("--test", test)]
    for command in (["sanity", *chosen], ["units"]):
        finished = subprocess.run(
            [str(bin / "ansible-test"), *command, "--local", "--python", python, "--color", "no"],
            cwd=collection,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if finished.returncode:
            return (finished.stdout + finished.stderr)[-8_000:]
    return ""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[str]]]:
    """All of them, begun."""
    with ThreadPoolExecutor(2) as pool:
        yield {
            core: pool.submit(ansible_test, core, python, tmp_path_factory.mktemp(f"core-{core}"))
            for core, python in CORES
        }


@pytest.mark.parametrize(("core", "python"), CORES)
def test_sanity_and_units_pass(runs: dict[str, Future[str]], core: str, python: str) -> None:
    assert runs[core].result() == ""


def test_the_oldest_and_the_one_that_is_used_are_among_them() -> None:
    assert {"2.17", "2.19"} <= {core for core, _ in CORES}
