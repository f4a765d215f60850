"""Runs the real `ansible-playbook` with this project's collection."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from embedded.alone import alone
from embedded.layout import BIN, PROJECT, STATE

COLOUR = re.compile("\x1b\\[[0-9;]*m")
RECAP = re.compile(r"ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)")


def command(playbook: Path, *arguments: str) -> list[str]:
    """The command line that runs a playbook on this machine."""
    interpreter = f"ansible_python_interpreter={sys.executable}"
    return [
        str(BIN / "ansible-playbook"),
        *("--inventory", "localhost,", "--connection", "local", "--extra-vars", interpreter),
        *arguments,
        str(playbook),
    ]


def environment(url: str, token: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of `ansible-playbook`: everything it writes stays in this project's state."""
    return {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(collections()),
        "ANSIBLE_HOME": str(STATE / "ansible"),
        "ANSIBLE_RETRY_FILES_ENABLED": "false",
        "LC_ALL": "C.UTF-8",  # Ansible insists on UTF-8
        "KEYTURN_URL": url,
        "KEYTURN_TOKEN": token,
        **(more or {}),
    }


def run(playbook: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a playbook to its end; the answer holds all that it printed."""
    return subprocess.run(
        command(playbook, *arguments), env=dict(environment), capture_output=True, text=True, check=False
    )


def changed_in(output: str) -> int:
    """How many tasks changed something, by the recap. Raises ValueError if there is no clean recap."""
    recap = RECAP.search(COLOUR.sub("", output))
    if not recap or recap.group(3) != "0" or recap.group(4) != "0":
        raise ValueError("The playbook did not finish.")
    return int(recap.group(2))


def collections() -> Path:
    """A path in which Ansible finds `ansible_module/` under its name."""
    root = STATE / "collections"
    link = root / "ansible_collections" / "keyturn" / "hub"
    with alone(root / "linking.lock"):
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.unlink(missing_ok=True)
            link.symlink_to(PROJECT / "ansible_module", target_is_directory=True)
    return root
