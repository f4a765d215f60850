"""Programs that tests run, each in a virtual environment of its own, with pinned packages."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from embedded.alone import alone
from embedded.layout import STATE


def installed(lock: Path, python: str = sys.executable) -> Path:
    """The folder with the programs of a file of pinned requirements, installed once for each state of that file."""

    def install(folder: Path) -> None:
        subprocess.run([python, "-m", "venv", str(folder)], check=True, capture_output=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
        subprocess.run([*pip, "-r", str(lock)], check=True, capture_output=True)

    return kept(lock.stem, [lock.read_bytes(), python.encode(), interpreter(python)], install) / "bin"


def interpreter(python: str) -> bytes:
    """What a Python is behind its name: environments made with another one do not run."""
    return str(Path(python).resolve()).encode()


def kept(name: str, holds: Iterable[bytes], make: Callable[[Path], None]) -> Path:
    """A folder that is made once for each state of what it holds, by whoever comes first; the others wait."""
    state = hashlib.sha256(b"\0".join(holds)).hexdigest()[:12]
    folder = STATE / "environments" / f"{name}-{state}"
    with alone(folder.with_name(f"{folder.name}.lock")):
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            (folder / "ready").touch()
    return folder
