"""Programs that tests run, each in a virtual environment of its own, with pinned packages."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from embedded.alone import alone
from embedded.layout import STATE


def installed(lock: Path, python: str = sys.executable) -> Path:
    """The folder with the programs of a file of pinned requirements, installed once for each state of that file."""
    state = hashlib.sha256(lock.read_bytes() + python.encode()).hexdigest()[:12]
    folder = STATE / "environments" / f"{lock.stem}-{state}"
    with alone(folder.with_suffix(".lock")):
        if not (folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([python, "-m", "venv", str(folder)], check=True, capture_output=True)
            pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--require-hashes"]
            subprocess.run([*pip, "-r", str(lock)], check=True, capture_output=True)
            (folder / "ready").touch()
    return folder / "bin"
