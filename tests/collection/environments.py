"""Programs of Ansible's world, each in a virtual environment of its own, with pinned packages.

`python -m tests.collection.environments` makes all that the tests need (with KEYTURN_TEST_LONG=1, all that the long run
needs), and nothing that is there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from embedded import playbook
from embedded.layout import PROJECT
from tests.budgets import LONG
from tests.programs import installed, interpreter, kept

VIRTUAL_ENVIRONMENTS = Path(".ansible") / "test" / "venv"  # of ansible-test, in the home
REQUIREMENTS = Path(__file__).parent / "requirements"
OLDEST = 8  # the minor version of the oldest Python that a target may have
# For each ansible-core, the Pythons that it runs on.
PYTHONS = {
    "2.17": ("3.10", "3.11", "3.12"),
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
    """The Pythons of this machine, by version: the one that runs, those on the path, and those beside it."""
    known = {f"{sys.version_info.major}.{sys.version_info.minor}": sys.executable}
    for version in (f"3.{minor}" for minor in range(OLDEST, 15)):
        beside = sorted(Path(sys.base_prefix).parent.glob(f"{version}*/bin/python{version}"))
        for path in (*map(str, beside), shutil.which(f"python{version}")):
            if version not in known and path and _runs(path):
                known[version] = path
    return known


def _runs(python: str) -> bool:
    """Whether it does: a launcher of something that is not installed says that it does not."""
    return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0


@cache
def cores() -> dict[str, str]:
    """Each ansible-core that a Python of this machine can run, oldest first, with that Python's version."""
    found = {core: [each for each in pythons if each in interpreters()] for core, pythons in PYTHONS.items()}
    return {core: pythons[0] for core, pythons in found.items() if pythons}


def core_programs(core: str) -> Path:
    """The folder with the programs of an ansible-core."""
    return programs(f"ansible-core-{core}", interpreters()[cores()[core]])


def play(path: Path, variables: Mapping[str, str], core: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a playbook to its end, by an ansible-core with its own Python, or by the one that the project uses."""
    if core is None:
        return playbook.run(path, variables)
    command = [str(core_programs(core) / "ansible-playbook"), *playbook.command(path)[1:]]
    return subprocess.run(command, env=dict(variables), capture_output=True, text=True, check=False)


def sanity_environments(core: str) -> Path:
    """The folder with the virtual environments that `ansible-test sanity` of a core wants to have.

    By itself, it makes them anew wherever it finds itself without a home. They hold absolute paths, so they stay where
    they are made; a run finds them by a link in its own home.
    """
    python, bin = interpreters()[cores()[core]], core_programs(core)
    wanted = sorted(_ansible_test(bin).glob("_data/requirements/*"))
    lock = (REQUIREMENTS / f"ansible-core-{core}.txt").read_bytes()
    holds = [lock, interpreter(python), BOOTSTRAP.encode(), *(each.read_bytes() for each in wanted)]

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory() as temporary:
            collection = checkout(Path(temporary))
            variables = {**_variables(bin), "HOME": str(folder)}
            _write_bootstrap(folder, bin)
            words = ["sanity", "--prime-venvs", "--local", "--python", cores()[core]]
            command = [str(bin / "ansible-test"), *words]
            subprocess.run(command, cwd=collection, env=variables, check=True, capture_output=True)

    return kept(f"sanity-{core}", holds, make) / VIRTUAL_ENVIRONMENTS


def checkout(root: Path) -> Path:
    """A copy of the collection as its tools want it: below its name, and in a git checkout."""
    target = root / "ansible_collections" / "keyturn" / "hub"
    unwanted = shutil.ignore_patterns("__pycache__", "output", "*.tar.gz")
    shutil.copytree(PROJECT / "ansible_module", target, ignore=unwanted)
    git = ["git", "-c", "user.email=test@example.com", "-c", "user.name=test"]
    for words in (["init", "--quiet"], ["add", "--all"], [*git[1:], "commit", "--quiet", "--message", "test"]):
        subprocess.run(["git", *words], cwd=target, check=True, capture_output=True)
    return target


def home(root: Path, core: str) -> dict[str, str]:
    """The variables of a run of `ansible-test` that keeps to itself, but for the environments that are made already."""
    link = root / "home" / VIRTUAL_ENVIRONMENTS
    link.parent.mkdir(parents=True)
    link.symlink_to(sanity_environments(core), target_is_directory=True)
    return {**_variables(core_programs(core)), "HOME": str(root / "home")}


def _variables(bin: Path) -> dict[str, str]:
    path = f"{bin}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}


def _ansible_test(bin: Path) -> Path:
    (folder,) = bin.parent.glob("lib/python3*/site-packages/ansible_test")
    return folder


def _write_bootstrap(home: Path, bin: Path) -> None:
    """Put our stand-in where `ansible-test` keeps pip's bootstrap script once it is fetched."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True)
    named = [os.environ.get(name, "") for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")]
    script = BOOTSTRAP.format(certificates=next(filter(None, named), ""))
    module = _ansible_test(bin) / "_internal" / "python_requirements.py"
    for version in re.findall(r"pip='([0-9.]+)'", module.read_text()):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(script)


def main() -> None:
    """Make what is missing, and say what there is."""
    for name in ("checkers", "rulebook"):
        print(f"Programs of {name}: {programs(name)}", flush=True)
    for core in cores() if LONG else ends():
        print(f"ansible-core {core}: {core_programs(core)}", flush=True)
        print(f"Sanity tests of ansible-core {core}: {sanity_environments(core)}", flush=True)


def ends() -> list[str]:
    """The oldest ansible-core and the newest."""
    known = list(cores())
    return [known[0], known[-1]]


if __name__ == "__main__":
    main()
