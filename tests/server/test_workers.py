"""Several workers on one socket, metrics, readiness, TLS, and who is behind a proxy."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from embedded.layout import PROJECT
from embedded.processes import free_port
from tests.certificates import certificate
from tests.conftest import TAG_KEYS
from tests.server.conftest import NewServer, OwnServer
from tests.server.database import EmptyDatabase
from tests.server.wire import INTROSPECTION, Connection, asked, verification

HOST = "Host: x"


def children(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def verified(server: OwnServer) -> int:
    lines, body = verification()
    return asked(server.port, *lines, body=body).status


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_worker_that_is_killed_is_replaced_while_others_answer(new_server: NewServer) -> None:
    server = new_server("--workers", "2")
    before = children(server.pid)
    assert len(before) == 2
    killed = min(before)
    os.kill(killed, signal.SIGKILL)
    while children(server.pid) == before or len(children(server.pid)) < 2:
        time.sleep(0.02)
    assert {verified(server) for _ in range(10)} == {401}


def test_workers_share_connections(new_server: NewServer) -> None:
    server = new_server("--workers", "2")
    assert verified(server) == 401
    with ExitStack() as stack:
        for _ in range(60):
            connection = stack.enter_context(Connection(server.port))
            connection.send("GET /health HTTP/1.1", HOST)
            assert connection.answer().status == 200
        for worker in children(server.pid):
            assert len(list(Path(f"/proc/{worker}/fd").iterdir())) > 20


def test_workers_end_with_their_supervisor(new_server: NewServer) -> None:
    server = new_server("--workers", "2")
    assert verified(server) == 401
    workers = children(server.pid)
    server.kill()
    while any(map(is_alive, workers)):
        time.sleep(0.02)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_metrics_are_those_of_all_workers(new_server: NewServer, empty_database: EmptyDatabase, workers: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    server = new_server("--workers", workers, "--metrics", address)
    for _ in range(12):
        assert verified(server) == 401
    empty_database.failures = 1
    assert verified(server) == 401
    asked(server.port, "GET /api/rest/users/ktp_SECRET HTTP/1.1", HOST)
    asked(server.port, "GET /ktp_SECRET HTTP/1.1", HOST)
    text = requests.get(f"http://{address}/metrics", timeout=30).text
    found = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("keyturn_"))
    introspection = f'route="{INTROSPECTION}"'
    assert float(found[f'keyturn_requests_total{{{introspection},status="4xx"}}']) == 13
    assert float(found[f"keyturn_request_seconds_count{{{introspection}}}"]) == 13
    assert float(found['keyturn_requests_total{route="/api/rest/users/{user}",status="4xx"}']) == 1
    assert float(found['keyturn_requests_total{route="none",status="4xx"}']) == 1
    assert float(found['keyturn_database_calls_total{operation="BatchGetItem"}']) >= 14
    assert float(found['keyturn_database_retries_total{operation="BatchGetItem"}']) == 1
    assert "SECRET" not in text


def test_it_is_ready_when_the_table_answers(new_server: NewServer, empty_database: EmptyDatabase) -> None:
    server = new_server()
    ready = asked(server.port, "GET /ready HTTP/1.1", HOST)
    assert (ready.status, ready.json) == (200, {"status": "ready"})
    empty_database.failures = 1
    assert asked(server.port, "GET /ready HTTP/1.1", HOST).status == 503
    with empty_database.held():
        answer = asked(server.port, "GET /ready HTTP/1.1", HOST)
        assert (answer.status, answer.json["error"]) == (503, "unavailable")
    assert asked(server.port, "GET /ready HTTP/1.1", HOST).status == 200
    assert asked(server.port, "POST /ready HTTP/1.1", HOST).status == 404


def test_it_is_not_ready_without_a_database_but_alive(new_server: NewServer) -> None:
    server = new_server(KEYTURN_DYNAMODB_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    assert asked(server.port, "GET /ready HTTP/1.1", HOST).status == 503
    assert asked(server.port, "GET /health HTTP/1.1", HOST).status == 200


def test_a_trusted_proxy_says_whom_it_was_asked_by(new_server: NewServer) -> None:
    server = new_server(KEYTURN_TRUSTED_PROXIES="127.0.0.0/8 10.0.0.0/8")
    for forwarded, address in (
        (("X-Forwarded-For: 192.0.2.1, 198.51.100.7, 10.1.1.1",), "198.51.100.7"),
        (("X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 198.51.100.8"), "198.51.100.8"),
        ((), "127.0.0.1"),
    ):
        asked(server.port, "GET /health HTTP/1.1", HOST, *forwarded)
        assert server.lines[-1]["address"] == address


def test_anybody_else_says_nothing_about_it(new_server: NewServer) -> None:
    server = new_server()
    asked(server.port, "GET /health HTTP/1.1", HOST, "X-Forwarded-For: 192.0.2.1")
    assert server.lines[-1]["address"] == "127.0.0.1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_it_speaks_tls(new_server: NewServer, tmp_path: Path) -> None:
    key, chain = certificate(tmp_path)
    server = new_server("--certificate", str(chain), "--key", str(key))
    answer = requests.get(f"https://127.0.0.1:{server.port}/health", verify=str(chain), timeout=30)
    assert answer.json()["status"] == "ok"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with Connection(server.port) as connection, pytest.raises(OSError, match=r"(?i)ssl|protocol|reset"):
        old.wrap_socket(connection.socket, server_hostname="127.0.0.1")


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "KEYTURN_TAG_KEYS"),
        (["--threads", "0"], {}, "--threads (KEYTURN_SERVER_THREADS) must be a whole number, 1 or more."),
        ([], {"KEYTURN_SERVER_PORT": "x"}, "--port (KEYTURN_SERVER_PORT)"),
        (["--certificate", "x"], {}, "go together"),
        (["--certificate", "nowhere.pem", "--key", "nowhere.pem"], {}, "cannot be used: No such file or directory."),
        (["--certificate", "README.md", "--key", "README.md"], {}, "--certificate and --key cannot be used"),
        (["--metrics", "192.0.2.1:9464"], {"KEYTURN_TAG_KEYS": TAG_KEYS}, "--metrics: cannot listen on 192.0.2.1"),
        (["--host", "192.0.2.1"], {}, "Cannot listen on 192.0.2.1"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(
    workers: str, arguments: list[str], environment: dict[str, str], said: str
) -> None:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KEYTURN_")}
    command = [sys.executable, "-m", "server", "--port", str(free_port()), "--workers", workers, *arguments]
    if "KEYTURN_SERVER_PORT" in environment:
        command[3:5] = []
    finished = subprocess.run(
        command, cwd=PROJECT, env=inherited | environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert finished.returncode in (1, 2)
    assert said in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_port_that_is_taken_is_said(new_server: NewServer) -> None:
    server = new_server()
    command = [sys.executable, "-m", "server", "--port", str(server.port)]
    finished = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)
    assert (finished.returncode, "Address already in use" in finished.stderr) == (2, True)


def test_the_log_is_lines_of_json(new_server: NewServer) -> None:
    server = new_server()
    verified(server)
    assert [json.loads(line)["status"] for line in server.log.read_text().splitlines()] == [401]
