"""What the community's and the certification's tools say of the collection."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.collection import environments

CHECKS = {
    "ansible-lint": ["ansible-lint", "--nocolor", "--offline", "--profile", "production"],
    "antsibull-docs": ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "."],
    "antsibull-changelog": ["antsibull-changelog", "lint"],
    "the generated changelog": ["bash", "-ec", "antsibull-changelog generate; git diff --exit-code CHANGELOG.rst"],
    "reuse": ["reuse", "lint"],
    "galaxy": ["ansible-galaxy", "collection", "build"],
}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the collection, beside a home for the programs."""
    root = tmp_path_factory.mktemp("checked")
    (root / "home").mkdir()
    return environments.checkout(root)


@pytest.mark.parametrize("check", CHECKS)
def test_the_collection_passes(check: str, collection: Path) -> None:
    bin = environments.programs("checkers")
    root = collection.parents[2]
    variables = {
        "PATH": f"{bin}:/usr/bin:/bin",
        "HOME": str(root / "home"),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(root),
    }
    finished = subprocess.run(
        [shutil.which(CHECKS[check][0], path=variables["PATH"]) or "", *CHECKS[check][1:]],
        cwd=collection,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, (finished.stdout + finished.stderr)[-6_000:]
