"""What is published: a wheel, installed into an empty environment, with nothing else of this project beside it."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.layout import PROJECT

DIRECT = ("click", "rich", "urllib3")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the program. What the wheel needs comes from the environment of the tests, as files: a test asks
    no network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = shutil.copytree(PROJECT / "cli", folder / "source", ignore=shutil.ignore_patterns("*.egg-info", "build"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(source)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "empty")], check=True)
    python = folder / "empty" / "bin" / "python"
    subprocess.run([*pip, "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)], check=True)
    (site,) = (folder / "empty" / "lib").glob("python*/site-packages")
    for name in needed(*DIRECT):
        copy(name, site)
    return folder / "empty" / "bin"


def needed(*names: str) -> set[str]:
    """These distributions, and what they need in turn."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            requirements = importlib.metadata.requires(name) or []
            waiting += [re.match(r"[\w.-]+", each)[0] for each in requirements if ";" not in each]  # type: ignore[index]
    return found


def copy(name: str, site: Path) -> None:
    for file in importlib.metadata.files(name) or []:
        if ".." not in file.parts and file.locate().exists():  # type: ignore[attr-defined]
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(str(file.locate()), target)


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "HOME": str(installed.parent)}
    program = [str(installed / "keyturn"), *arguments]
    return subprocess.run(program, capture_output=True, text=True, env=known, check=False, timeout=60)


def commands(installed: Path, *group: str) -> Iterator[tuple[str, ...]]:
    """Every command, by what `--help` says of each."""
    told = run(installed, *group, "--help")
    assert (told.returncode, told.stderr) == (0, ""), told.stderr
    yield group
    listed = told.stdout.partition("\nCommands:\n")[2]
    for name in re.findall(r"^  ([a-z-]+)", listed, re.MULTILINE):
        yield from commands(installed, *group, name)


def test_every_command_that_it_tells_of_runs(installed: Path) -> None:
    found = list(commands(installed))
    assert {("token", "rotate"), ("service", "renew-secret"), ("webhook", "update"), ("hub-import",)} <= set(found)
    # Each by itself, as somebody types it first: there is nobody to ask, so it says what is missing.
    known = {
        ("token", "list"),
        ("service", "list"),
        ("webhook", "list"),
        ("whoami",),
        ("health",),
        ("logout",),
        ("login",),
    }
    for command in known & set(found):
        told = run(installed, *command)
        assert (told.returncode, "Say where Keyturn is" in told.stderr) == (1, True), told.stderr


def test_it_says_its_version_and_completes(installed: Path) -> None:
    assert importlib.metadata.version("keyturn-cli") in run(installed, "--version").stdout
    assert "_KEYTURN_COMPLETE" in run(installed, "completion", "bash").stdout


def test_all_modules_are_in_it(installed: Path) -> None:
    (wheel,) = installed.parent.parent.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    folder = PROJECT / "cli"
    assert held == {str(file.relative_to(folder)) for file in (folder / "keyturn_cli").rglob("*.py")}
