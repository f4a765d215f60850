"""A real Chromium: the machine's, or one that is installed for the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from embedded.alone import alone

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
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
LOCK = Path(tempfile.gettempdir()) / f"keyturn-chromium-{os.getuid()}.lock"


def executable() -> str | None:
    """The browser's program; None for the one that Playwright brings. Installs one if there is none."""
    with alone(LOCK):
        return _found() or _installed()


def _found() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _installed() -> str | None:
    """Debian's package where we may install it, else Playwright's download."""
    if os.getuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-liberation"]
        for command in (["apt-get", "update"], install):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0 and _found():
            return _found()
    download = [sys.executable, "-m", "playwright", "install", "chromium"]
    done = subprocess.run(download, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The tests of the pages need Chromium, and none can be installed: {done.stderr[-500:]}")
    return None
