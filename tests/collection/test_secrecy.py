"""No secret is anywhere but in the variable that a play registers: all that is printed, logged or written is read."""

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

BROUGHT = "Qm3Tz8KpW1xVb6NsYc0RfL5hJd2GgE7uAo9iXwMnZqB"
WEBHOOKS_OWN = "whsec_Zk3uP1sVh9QyT7rXcB0aLwN5mEoGdJ2fK8iR4tU6xYM="
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
            time.sleep(0.002)


@pytest.fixture
def watch(stack: Stack, tmp_path: Path, syslog: list[bytes]) -> Any:
    """Runs a play with everything turned up, and returns what it registered and all that was seen."""
    work, remote, local = tmp_path / "work", tmp_path / "remote", tmp_path / "local"
    for folder in (work, remote, local):
        folder.mkdir()

    def run(tasks: list[dict[str, Any]], keys: str = "", **variables: str) -> tuple[dict[str, Any], Watched]:
        report = work / "report.json"
        tell = {
            "ansible.builtin.copy": {"content": "{{ told | to_json }}", "dest": str(report), "mode": "0600"},
            "vars": {"told": REGISTERED},
            "no_log": True,
        }
        path = work / "play.yml"
        path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [*tasks, tell]}]))
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
                **variables,
            },
        )
        with Files(remote, local) as files:
            output = _in_terminal(playbook.command(path, "-vvvv", "--diff"), environment, keys)
        seen = {"terminal": output, "syslog": b"\n".join(syslog), **files.contents}
        seen.update({name: (work / name).read_bytes() for name in ("dump.json", "ansible.log")})
        told = json.loads(report.read_text())
        del told[MARK]
        return told, Watched({place: content for place, content in seen.items() if MARK.encode() not in content})

    return run


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


def modules(login: str) -> list[dict[str, Any]]:
    """A task with each module that is given, or gives, a secret."""
    token = {"user": login, "scope": ["ci"]}
    return [
        {"keyturn.hub.user": {"login": login, "name": login, "type": "bot"}},
        {"keyturn.hub.permanent_token": {**token, "name": "made"}, "register": "r0"},
        {"keyturn.hub.permanent_token": {**token, "name": "made", "state": "rotated"}, "register": "r1"},
        {"keyturn.hub.permanent_token": {**token, "name": "brought", "secret": BROUGHT}, "register": "r2"},
        {
            "keyturn.hub.permanent_token": {**token, "name": "{{ item }}"},
            "loop": ["first", "second"],
            "register": "r3",
        },
        {"keyturn.hub.service": {"key": f"{login}-service", "name": "S"}, "register": "r4"},
        {"keyturn.hub.service": {"key": f"{login}-service", "renew_secret": True}, "register": "r5"},
        {
            "keyturn.hub.bots": {
                "bots": [
                    {
                        "login": f"{login}-2",
                        "name": "Two",
                        "tokens": [
                            {"name": "made", "scope": ["ci"]},
                            {"name": "brought", "scope": ["ci"], "secret": f"{BROUGHT[::-1]}\n"},
                        ],
                    }
                ]
            },
            "register": "r6",
        },
        {"keyturn.hub.webhook": {"name": login, "address": "https://hooks.example.com/"}, "register": "r8"},
        {"keyturn.hub.webhook": {"name": login, "secret": WEBHOOKS_OWN}, "register": "r9"},
        {"keyturn.hub.current_token_info": {"token": "{{ r1.secret }}"}, "register": "r7"},
        {"keyturn.hub.service": {"key": f"{login}-service", "secret": BROUGHT, "grace": "1h"}, "register": "r10"},
    ]


def secrets_of(told: dict[str, Any]) -> list[str]:
    found = re.findall(r"kt[a-z]_[0-9A-Za-z]{61,}|whsec_[0-9A-Za-z+/=]{40,}", json.dumps(told))
    return [*found, BROUGHT, BROUGHT[::-1], WEBHOOKS_OWN]


def test_nothing_that_is_printed_told_logged_or_written_holds_a_secret(watch: Any, stack: Stack) -> None:
    told, watched = watch(modules("secrecy"))
    secrets = [*secrets_of(told), stack.secrets.read(ADMINISTRATOR)]
    assert len(set(secrets)) == 15, told.keys()
    for secret in secrets:
        assert watched.holds(secret) == []
    assert b"ansible-keyturn.hub.permanent_token" in watched.seen["syslog"]
    assert b'"login": "secrecy"' in watched.seen["dump.json"]
    assert b"+ bot secrecy-2" in watched.seen["terminal"]  # the plan is shown, although the result is hidden


def test_failures_hold_no_secret_either_and_the_debugger_has_none_to_show(watch: Any, stack: Stack) -> None:
    token = {"user": "nobody-there", "scope": ["ci"], "name": "t", "secret": BROUGHT}
    no_form = {"login": "formless", "name": "x", "tokens": [{**token, "secret": f"{BROUGHT[::-1]}'\t\"\\"}]}
    del no_form["tokens"][0]["user"]
    tasks = [
        {"keyturn.hub.permanent_token": token, "debugger": "on_failed", "ignore_errors": True, "register": "r0"},
        {"keyturn.hub.permanent_token": {**token, "secret": BROUGHT[:-1]}, "ignore_errors": True, "register": "r1"},
        {"keyturn.hub.user_info": {"url": "http://127.0.0.1:1", "retries": 0}, "ignore_errors": True, "register": "r2"},
        {"keyturn.hub.bots": {"bots": [{"login": "a b", "name": "x"}]}, "ignore_errors": True, "register": "r3"},
        {"keyturn.hub.bots": {"bots": [no_form]}, "ignore_errors": True, "register": "r4"},
    ]
    keys = "p result._result\np task\np task.args.keys()\np host\nc\n"
    told, watched = watch(tasks, keys, ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS="false")
    assert all(result["failed"] for result in told.values()), told
    assert b"(debug)" in watched.seen["terminal"]
    assert b"Option user: there is no account nobody-there." in watched.seen["terminal"]
    for secret in (stack.secrets.read(ADMINISTRATOR) or "", BROUGHT, BROUGHT[:-1], BROUGHT[::-1]):
        assert [place for place in watched.holds(secret) if place != "terminal"] == []
    assert (stack.secrets.read(ADMINISTRATOR) or "").encode() not in watched.seen["terminal"]


def test_a_secret_that_is_there_would_be_found() -> None:
    """The search itself: plain, in base64, and in the archive that a module travels in."""
    secret = "ktp_" + BROUGHT
    deflated = zlib.compressobj(wbits=-15)
    part = deflated.compress(f"arguments: {secret}".encode() * 20) + deflated.flush()
    archive = b"PK\x03\x04" + bytes(22) + (1).to_bytes(2, "little") + bytes(2) + b"a" + part
    padded = base64.b64encode(archive + os.urandom(400))
    for place in (secret.encode(), base64.b64encode(b"x" + secret.encode()), b"zip: " + padded):
        assert Watched({"it": place}).holds(secret) == ["it"]
    assert Watched({"it": os.urandom(4_000)}).holds(secret) == []
