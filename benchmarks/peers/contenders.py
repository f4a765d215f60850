"""Who is measured: each starts its usual server on one core, with one token in a database on this machine.

A peer's database is SQLite in its own process, which is the fastest that it can have.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks.installation import install
from benchmarks.peers.load import Question
from embedded.dynamodb import DynamoDBLocal
from embedded.layout import HOST, PROJECT
from embedded.processes import PortProcess, free_port
from tests import node, programs

HERE = Path(__file__).parent
SERVERS_CORE, OTHERS_CORE = 0, (os.cpu_count() or 1) - 1
START_SECONDS = 60.0
WORKERS = "3"
GRANIAN = ("--interface", "wsgi", "--workers", WORKERS, "--blocking-threads", "1", "--no-ws", "--log-level", "error")
JSON = "content-type: application/json"
FORM = "content-type: application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Contender:
    """A running server, what to ask it, and the sessions of its processes."""

    name: str
    question: Question
    server: int
    database: tuple[int, ...] = ()
    least_seconds: float = 0  # of a load, so that there is an answer on every connection


@contextlib.contextmanager
def serving(command: list[str], port: int, folder: Path, environment: dict[str, str]) -> Iterator[int]:
    """A server on its core; yields the session of its processes."""
    pid_file = folder / f"{port}.pid"
    process = PortProcess(pid_file, folder / f"{port}.log", command[0])
    pinned = ["taskset", "-c", str(SERVERS_CORE), *command]
    process.launch(pinned, port, START_SECONDS, folder, {**os.environ, **environment})
    try:
        yield int(pid_file.read_text())
    finally:
        process.stop()


@contextlib.contextmanager
def keyturn(folder: Path) -> Iterator[list[Contender]]:
    """Its own server, with as many processes as the others' have. Its database is a process of its own, as on AWS."""
    (folder / "dynamodb").mkdir()
    with DynamoDBLocal(folder / "dynamodb") as database:
        installation = install(database)
        event = installation.introspection_event(installation.token.secret or "")
        headers, port = event["headers"], free_port()
        assert isinstance(headers, dict)
        question = Question(
            f"http://{HOST}:{port}/api/rest/oauth2/introspect",
            '"active":true',
            "POST",
            (f"authorization: {headers['authorization']}", FORM),
            str(event["body"]),
        )
        bin = programs.installed(PROJECT / "requirements-server.txt")
        command = [str(bin / "python"), "-m", "server", "--host", HOST, "--port", str(port), "--workers", WORKERS]
        with serving(command, port, folder, {**installation.environment, "PYTHONPATH": str(PROJECT)}) as server:
            stored = int((folder / "dynamodb" / "dynamodb.pid").read_text())
            yield [Contender("Keyturn", question, server, (stored,))]


@contextlib.contextmanager
def django(folder: Path) -> Iterator[list[Contender]]:
    """django-rest-knox and djangorestframework-api-key behind granian."""
    bin, port = programs.installed(HERE / "django.txt"), free_port()
    environment = {
        "PEER_DATABASE": str(folder / "django.db"),
        "PEER_SECRET": secrets.token_hex(),
        "PYTHONPATH": str(PROJECT),
    }
    made = json.loads(_said([str(bin / "python"), "-m", "benchmarks.peers.django_server"], folder, environment))
    with serving(_granian(bin, port, "benchmarks.peers.django_server"), port, folder, environment) as server:
        base, good = f"http://{HOST}:{port}", '"active":true'
        knox = Question(f"{base}/knox", good, headers=(f"authorization: Token {made['knox']}",))
        key = Question(f"{base}/api-key", good, headers=(f"authorization: Api-Key {made['api-key']}",))
        yield [
            Contender("django-rest-knox", knox, server),
            Contender("djangorestframework-api-key", key, server),
        ]


@contextlib.contextmanager
def better_auth(folder: Path) -> Iterator[list[Contender]]:
    """better-auth's API keys on Node."""
    installed, port = node.installed(HERE / "javascript"), free_port()
    command = [str(node.NODE), str(installed / "server.mjs"), str(folder / "better-auth.db"), str(port)]
    with serving(command, port, folder, {"NODE_ENV": "production"}) as server:
        [line] = [line for line in (folder / f"{port}.log").read_text().splitlines() if line.startswith('{"key"')]
        question = Question(f"http://{HOST}:{port}/", '"valid":true', "POST", (JSON,), line)
        yield [Contender("better-auth API key", question, server)]


@contextlib.contextmanager
def keystone(folder: Path) -> Iterator[list[Contender]]:
    """Keystone behind granian: an application credential taken for a token, and that token checked."""
    bin, port, base = programs.installed(HERE / "keystone.txt"), free_port(), folder / "keystone"
    for each in ("fernet", "credential"):
        (base / each).mkdir(parents=True, mode=0o700)
    (base / "keystone.conf").write_text(
        f"[database]\nconnection = sqlite:///{base}/keystone.db\n"
        f"[fernet_tokens]\nkey_repository = {base}/fernet\n"
        f"[credential]\nkey_repository = {base}/credential\n"
    )
    password = secrets.token_hex(16)
    environment = {"OS_KEYSTONE_CONFIG_DIR": str(base), "PYTHONPATH": str(PROJECT)}
    manage = [str(bin / "keystone-manage"), "--config-file", str(base / "keystone.conf")]
    for arguments in (["db_sync"], ["fernet_setup"], ["credential_setup"]):
        _said([*manage, *arguments, *(_OWNER if arguments[0] != "db_sync" else ())], folder, environment)
    _said([*manage, "bootstrap"], folder, {**environment, "OS_BOOTSTRAP_PASSWORD": password})
    with serving(_granian(bin, port, "benchmarks.peers.keystone_server"), port, folder, environment) as server:
        yield _keystones(f"http://{HOST}:{port}/v3", password, server)


_OWNER = ("--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid()))


def _keystones(base: str, password: str, server: int) -> list[Contender]:
    domain = {"id": "default"}
    login = {"methods": ["password"], "password": {"user": {"name": "admin", "domain": domain, "password": password}}}
    scope = {"project": {"name": "admin", "domain": domain}}
    token = _posted(f"{base}/auth/tokens", {"auth": {"identity": login, "scope": scope}})
    user = token.json()["token"]["user"]["id"]
    administrator = token.headers["X-Subject-Token"]
    wanted = {"application_credential": {"name": "bench"}}
    made = _posted(f"{base}/users/{user}/application_credentials", wanted, {"X-Auth-Token": administrator})
    credential = {key: made.json()["application_credential"][key] for key in ("id", "secret")}
    body = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": credential}}}
    token = _posted(f"{base}/auth/tokens", body).headers["X-Subject-Token"]
    taken = Question(f"{base}/auth/tokens", '"application_credential"', "POST", (JSON,), json.dumps(body))
    headers = (f"x-auth-token: {administrator}", f"x-subject-token: {token}")
    checked = Question(f"{base}/auth/tokens", '"application_credential"', headers=headers)
    return [
        Contender("Keystone application credential", taken, server, least_seconds=20),
        Contender("Keystone token made from one", checked, server),
    ]


def _posted(url: str, body: object, headers: dict[str, str] | None = None) -> requests.Response:
    answer = requests.post(url, json=body, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer


def _granian(bin: Path, port: int, module: str) -> list[str]:
    """The server that all in Python use: the fastest of those that were tried, for each of them."""
    return [str(bin / "granian"), *GRANIAN, "--host", HOST, "--port", str(port), f"{module}:application"]


def _said(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    finished = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    return finished.stdout


CONTENDERS: tuple[Callable[[Path], contextlib.AbstractContextManager[list[Contender]]], ...] = (
    keyturn,
    better_auth,
    django,
    keystone,
)
