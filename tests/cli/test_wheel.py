"""What is published: a wheel, installed into an empty environment, with nothing else of this project beside it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
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


EACH = """
import contextlib, io, json, sys
from keyturn_cli import main
told = []
for arguments in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main.run(arguments)
    told.append([code, out.getvalue(), err.getvalue()])
json.dump(told, sys.stdout)
"""


def run_each(installed: Path, commands: Sequence[Sequence[str]]) -> list[tuple[int, str, str]]:
    """The codes and what is printed, by one process: to start the program for each would take most of the time."""
    known = {"PATH": os.environ["PATH"], "HOME": str(installed.parent)}
    program = [str(installed / "python"), "-c", EACH]
    asked = json.dumps([list(each) for each in commands])
    done = subprocess.run(program, input=asked, capture_output=True, text=True, env=known, check=True, timeout=60)
    return [(code, out, err) for code, out, err in json.loads(done.stdout)]


def commands(installed: Path) -> Iterator[tuple[str, ...]]:
    """Every command, by what `--help` says of each."""
    level: list[tuple[str, ...]] = [()]
    while level:
        yield from level
        inner = []
        for command, (code, out, err) in zip(
            level, run_each(installed, [(*each, "--help") for each in level]), strict=True
        ):
            assert (code, err) == (0, ""), (command, err)
            inner += [(*command, name) for name in re.findall(r"^  ([a-z-]+)", out.partition("\nCommands:\n")[2], re.M)]
        level = inner


ARGUMENTS = {
    "token create": ("x", "-s", "ci"),
    "token rotate": ("x",),
    "token revoke": ("x", "--yes"),
    "service renew-secret": ("ci",),
    "webhook show": ("x",),
    "webhook create": ("x", "https://example.com"),
    "webhook update": ("x", "--all-events"),
    "webhook renew-secret": ("x",),
    "webhook test": ("x",),
    "webhook delete": ("x", "--yes"),
    "hub-import": ("--from", "https://hub.example.com"),
    "federate": ("--account", "bot"),
    "completion": ("bash",),
}
NEEDS_NO_ADDRESS = {"completion": (0, ""), "hub-import": (3, "Set HUB_TOKEN")}
GROUPS = {"", "token", "service", "webhook"}  # which say their help, as one that is written wrong


def test_every_command_that_it_tells_of_runs(installed: Path) -> None:
    """With as little as it takes: there is nobody to ask, so it says what is missing."""
    found = {" ".join(command) for command in commands(installed)}
    assert set(ARGUMENTS) | GROUPS <= found
    asked = sorted(found - GROUPS)
    told = run_each(installed, [(*each.split(), *ARGUMENTS.get(each, ())) for each in asked])
    for command, (code, _, err) in zip(asked, told, strict=True):
        expected, words = NEEDS_NO_ADDRESS.get(command, (1, "Say where Keyturn is"))
        assert (code, words in err) == (expected, True), (command, err)


def test_it_says_its_version_and_completes(installed: Path) -> None:
    assert importlib.metadata.version("keyturn-cli") in run(installed, "--version").stdout
    assert "_KEYTURN_COMPLETE" in run(installed, "completion", "bash").stdout


def test_all_modules_are_in_it(installed: Path) -> None:
    (wheel,) = installed.parent.parent.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    folder = PROJECT / "cli"
    assert held == {str(file.relative_to(folder)) for file in (folder / "keyturn_cli").rglob("*.py")}
