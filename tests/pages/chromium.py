"""A real Chromium: the machine's, or one that is installed for the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from embedded.alone import alone
from embedded.layout import STATE

SHELL = "chromium-headless-shell"  # the same browser without windows, for two thirds of the processor time
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No sandbox: tests may run as root, and visit only our own pages. The rest keeps it from asking the network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TRIED = STATE / "chromium-shell-tried"
LOCK = Path(tempfile.gettempdir()) / f"keyturn-chromium-{os.getuid()}.lock"


def executable() -> str | None:
    """The browser's program; None for the one that Playwright brings. Installs one if there is none."""
    with alone(LOCK):
        return _found() or _debians() or _playwrights()


def prepared() -> str | None:
    """As `executable`, after one attempt to get the one that costs least."""
    with alone(LOCK):
        if not shutil.which(SHELL) and not TRIED.exists():
            _debians()
            TRIED.parent.mkdir(parents=True, exist_ok=True)
            TRIED.touch()
    return executable()


def _found() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _debians() -> str | None:
    """Debian's package, where we may install it."""
    if os.getuid() != 0 or not shutil.which("apt-get"):
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "--no-install-recommends", SHELL, "fonts-liberation"]
    for command in (["apt-get", "update"], install):
        subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return shutil.which(SHELL)


def _playwrights() -> str | None:
    """Playwright's own, which it finds by itself."""
    download = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
    done = subprocess.run(download, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The tests of the pages need Chromium, and none can be installed: {done.stderr[-500:]}")
    return None
