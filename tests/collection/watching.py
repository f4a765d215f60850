"""Everything that a play prints, tells callbacks, logs, or writes, while everything is turned up."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pty
import re
import socket
import subprocess
import tempfile
import threading
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded import playbook
from embedded.alone import alone
from embedded.stack import ADMINISTRATOR, Stack
from tests.budgets import only_long
from tests.collection import environments

CALLBACKS = Path(__file__).parent / "callback_plugins"
SYSLOG = Path("/dev/log")
MARK = "a report of this test"
REGISTERED = (
    "{{ dict(hostvars[inventory_hostname]) | dict2items | selectattr('key', 'match', 'r[0-9]') | items2dict "
    f"| combine({{'{MARK}': ''}}) }}}}"
)


@dataclass
class Watched:
    """What was seen, by where."""

    seen: dict[str, bytes] = field(default_factory=dict)

    def holds(self, secret: str) -> list[str]:
        """Where a secret is, as it is, in base64, or in the archive that a module travels in."""
        return [place for place, content in self.seen.items() if _holds(content, secret.encode())]


def _holds(content: bytes, secret: bytes) -> bool:
    if secret in content or any(base64.b64encode(bytes(shift) + secret)[4:-4] in content for shift in range(3)):
        return True
    # A module travels as a zip archive in base64.
    for found in re.findall(rb"[A-Za-z0-9+/=]{400,}", content):
        with contextlib.suppress(ValueError):
            archive = base64.b64decode(found, validate=True)
            if secret in archive or any(secret in part for part in _inflated(archive)):
                return True
    return False


def _inflated(archive: bytes) -> Iterator[bytes]:
    for place in (match.end() for match in re.finditer(rb"PK\x03\x04", archive)):
        with contextlib.suppress(zlib.error, IndexError):
            names = int.from_bytes(archive[place + 22 : place + 24], "little")
            more = int.from_bytes(archive[place + 24 : place + 26], "little")
            yield zlib.decompressobj(-15).decompress(archive[place + 26 + names + more :])


@pytest.fixture
def syslog() -> Iterator[list[bytes]]:
    """What programs log: there is no daemon on a bare machine, such as the gate's, so we are it, one test at a time.
    Where there is one, nothing is heard, and the other places are looked at alone.
    """
    heard: list[bytes] = []
    with alone(Path(tempfile.gettempdir()) / "keyturn-syslog.lock"):
        if _is_somebodys() or not os.access("/dev", os.W_OK):
            yield heard
        else:
            SYSLOG.unlink(missing_ok=True)  # a run that was killed left it
            yield from _listening(heard)


def _is_somebodys() -> bool:
    """Whether a daemon listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        return asking.connect_ex(str(SYSLOG)) == 0


def _listening(heard: list[bytes]) -> Iterator[list[bytes]]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(SYSLOG))
        SYSLOG.chmod(0o666)
        listener.settimeout(0.2)
        running = threading.Event()
        running.set()

        def listen() -> None:
            while running.is_set():
                with contextlib.suppress(TimeoutError):
                    heard.append(listener.recv(65_536))

        thread = threading.Thread(target=listen)
        thread.start()
        yield heard
        running.clear()
        thread.join()
    SYSLOG.unlink()


class Files:
    """Every file that ever is in some folders while a play runs, also one that is soon removed."""

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self.contents: dict[str, bytes] = {}
        self._running = threading.Event()

    def __enter__(self) -> Files:
        self._running.set()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.clear()
        self._thread.join()

    def _watch(self) -> None:
        while self._running.is_set():
            for folder in self._folders:
                with contextlib.suppress(OSError):  # what goes away while one looks
                    for path in folder.rglob("*"):
                        with contextlib.suppress(OSError):
                            if path.is_file():
                                self.contents[str(path)] = path.read_bytes()
            time.sleep(0.01)


@pytest.fixture(params=["", *(pytest.param(core, marks=only_long) for core in environments.ends())])
def core(request: pytest.FixtureRequest) -> str:
    """The oldest ansible-core, or the newest; empty for the one that the project uses."""
    version: str = request.param
    return version


@pytest.fixture
def watch(stack: Stack, core: str, tmp_path: Path, syslog: list[bytes]) -> Any:
    """Runs a play with everything turned up, and returns what it registered and all that was seen."""
    work, remote, local = tmp_path / "work", tmp_path / "remote", tmp_path / "local"
    for folder in (work, remote, local):
        folder.mkdir()

    def run(
        tasks: list[dict[str, Any]], keys: str = "", encrypted: dict[str, str] | None = None, **variables: str
    ) -> tuple[dict[str, Any], Watched]:
        """`encrypted` are variables, each encrypted by ansible-vault."""
        (work / "password").write_text("opens it")
        (work / "variables.yml").write_text(_vaulted(encrypted or {}))
        report = work / "report.json"
        tell = {
            "ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(report), "mode": "0600"},
            "vars": {"told": REGISTERED},
            "no_log": True,
        }
        path = work / "play.yml"
        play = {"hosts": "localhost", "gather_facts": False, "vars_files": ["variables.yml"], "tasks": [*tasks, tell]}
        path.write_text(yaml.safe_dump([play]))
        environment = playbook.environment(
            stack.url,
            stack.secrets.read(ADMINISTRATOR) or "",
            {
                "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
                "ANSIBLE_CALLBACKS_ENABLED": "dump",
                "KEYTURN_TEST_DUMP": str(work / "dump.json"),
                "ANSIBLE_REMOTE_TEMP": str(remote),
                "ANSIBLE_LOCAL_TEMP": str(local),
                "ANSIBLE_LOG_PATH": str(work / "ansible.log"),
                "ANSIBLE_VAULT_PASSWORD_FILE": str(work / "password"),
                **variables,
            },
        )
        with Files(remote, local) as files:
            command = playbook.command(path, "-vvvv", "--diff")
            if core:
                command[0] = str(environments.core_programs(core) / "ansible-playbook")
            output = _in_terminal(command, environment, keys)
        seen = {"terminal": output, "syslog": b"\n".join(syslog), **files.contents}
        seen.update({name: (work / name).read_bytes() for name in ("dump.json", "ansible.log")})
        told = json.loads(report.read_text())
        del told[MARK]
        return told, Watched({place: content for place, content in seen.items() if MARK.encode() not in content})

    return run


def _vaulted(variables: dict[str, str]) -> str:
    """A file of variables, whose values alone are encrypted."""
    from ansible.parsing.vault import VaultLib, VaultSecret

    vault = VaultLib([("default", VaultSecret(b"opens it"))])
    encrypted = {name: vault.encrypt(value).decode().replace("\n", "\n  ") for name, value in variables.items()}
    return "".join(f"{name}: !vault |\n  {value}\n" for name, value in encrypted.items()) or "{}"


def _in_terminal(command: list[str], environment: dict[str, str], keys: str) -> bytes:
    """Run in a terminal, since the debugger asks for one; `keys` are typed at once."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    ) as running:
        os.close(theirs)
        os.write(ours, keys.encode())
        output = b""
        with contextlib.suppress(OSError):
            while part := os.read(ours, 65_536):
                output += part
        running.wait(60)
    os.close(ours)
    return output.replace(b"\r\n", b"\n")
