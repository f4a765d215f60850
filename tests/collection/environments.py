"""Programs of Ansible's world, each in a virtual environment of its own, with pinned packages."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from embedded.layout import PROJECT
from tests.programs import installed

REQUIREMENTS = Path(__file__).parent / "requirements"
# For each ansible-core, the Pythons that it runs on.
PYTHONS = {
    "2.17": ("3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
# ansible-test fetches pip's bootstrap script from a host of its own, unless it is there already: the interpreter's own
# bundled pip does as well, and asks only the package index. The certificates are told, since ansible-test passes none
# of the variables that name them.
BOOTSTRAP = """\
import ensurepip, pathlib, subprocess, sys
certificates = {certificates!r}
if certificates:
    pathlib.Path(sys.prefix, "pip.conf").write_text("[global]\\ncert = " + certificates + "\\n")
ensurepip.bootstrap()
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
trusted = ["--cert", certificates] if certificates else []
raise SystemExit(subprocess.call([sys.executable, "-m", "pip", "install", *trusted, *wanted]))
"""


def programs(name: str, python: str = sys.executable) -> Path:
    """The folder with the programs of `requirements/<name>.txt`."""
    return installed(REQUIREMENTS / f"{name}.txt", python)


@cache
def interpreters() -> dict[str, str]:
    """The Pythons of this machine, by version: those on the path, and those beside the one that runs."""
    beside = Path(sys.base_prefix).parent.glob("3.*/bin/python3")
    found = [shutil.which(f"python3.{minor}") for minor in range(11, 15)]
    known: dict[str, str] = {}
    for path in (sys.executable, *filter(None, found), *map(str, beside)):
        asked = subprocess.run([path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True)
        if asked.returncode == 0:  # a launcher of something that is not installed says so
            known.setdefault(asked.stdout.decode().strip(), path)
    return known


def cores() -> Iterator[tuple[str, str]]:
    """Each ansible-core that a Python of this machine can run, with that Python's version."""
    for core, pythons in PYTHONS.items():
        found = [python for python in pythons if python in interpreters()]
        if found:
            yield core, found[0]


def checkout(root: Path) -> Path:
    """A copy of the collection as its tools want it: below its name, and in a git checkout."""
    target = root / "ansible_collections" / "keyturn" / "hub"
    unwanted = shutil.ignore_patterns("__pycache__", "output", "*.tar.gz")
    shutil.copytree(PROJECT / "ansible_module", target, ignore=unwanted)
    git = ["git", "-c", "user.email=test@example.com", "-c", "user.name=test"]
    for words in (["init", "--quiet"], ["add", "--all"], [*git[1:], "commit", "--quiet", "--message", "test"]):
        subprocess.run(["git", *words], cwd=target, check=True, capture_output=True)
    return target


def home(root: Path, bin: Path) -> dict[str, str]:
    """The variables of a run that keeps to itself, with what stands in for pip's bootstrap script."""
    cache = root / "home" / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True)
    named = [os.environ.get(name, "") for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")]
    script = BOOTSTRAP.format(certificates=next(filter(None, named), ""))
    (module,) = bin.parent.glob("lib/python3*/site-packages/ansible_test/_internal/python_requirements.py")
    for version in re.findall(r"pip='([0-9.]+)'", module.read_text()):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(script)
    path = f"{bin}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "HOME": str(root / "home"), "PATH": path, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
