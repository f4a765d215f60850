# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module acts with: its token, or the access token that an agent has at that moment."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import acting
from ansible_collections.keyturn.hub.plugins.module_utils.acting import AgentToken, NoAnswer, ask, fingerprint, token_of
from ansible_collections.keyturn.hub.plugins.module_utils.client import Client, RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.transport import Answer, Misconfigured

IDENTITY = {"source": "github", "account": "bot"}


class Agent:
    """Listens like an agent, and gives `answers` in order, the last one for ever; `asked` holds the questions."""

    def __init__(self, path):
        self.path = str(path)
        self.asked = []
        self.answers = [{"token": "first"}, {"token": "second"}]
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            while True:
                line, _address = self._listener.accept()
                with line:
                    self.asked.append(json.loads(line.makefile().readline()))
                    answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                    line.sendall(answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")
        except OSError:
            pass

    def close(self):
        self._listener.close()


@pytest.fixture
def agent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    started = Agent("agent")
    yield started
    started.close()


class Line:
    """A server that takes one token alone."""

    def __init__(self, taken):
        self.taken = taken
        self.presented = []

    def send(self, _method, _url, _data, headers):
        token = headers["Authorization"].split()[1]
        self.presented.append(token)
        return Answer(200 if token == self.taken else 401, {}, b"{}")


def client(agent, line, clock=lambda: 0):
    return Client("https://tokens.example.com", AgentToken(agent.path, clock), line.send)


def test_the_access_token_is_kept_for_some_seconds_and_asked_for_again(agent):
    times = iter([0, 14, 16, 16])
    token = AgentToken(agent.path, lambda: next(times))
    assert [token.current() for _each in range(3)] == ["first", "first", "second"]
    assert agent.asked == [{"ask": "token"}] * 2


def test_where_it_is_refused_another_one_is_asked_for_once(agent):
    line = Line("second")
    client(agent, line).set({}, "users", "x")
    assert line.presented == ["first", "second"]
    assert agent.asked[1] == {"ask": "token", "refused": fingerprint("first")}


def test_where_there_is_no_other_one_the_refusal_names_the_option(agent):
    agent.answers = [{"token": "first"}]
    line = Line("none")
    with pytest.raises(RequestRefused, match="Check the option identity") as refused:
        client(agent, line).get("users", "x")
    assert refused.value.status == 401
    assert line.presented == ["first"]


def test_what_the_agent_says_is_said(agent):
    agent.answers = [{"problem": "source github: no."}]
    with pytest.raises(RequestRefused, match="source github: no") as refused:
        client(agent, Line("x")).create({}, "users")
    assert (refused.value.field, refused.value.unknown) == ("identity", False)


@pytest.mark.parametrize("answer", [b"", b"nonsense\n", b"[]\n", b"half", b"x" * 200_000])
def test_an_agent_that_does_not_answer_well_has_ended(agent, answer):
    agent.answers = [answer]
    with pytest.raises(NoAnswer, match="has ended"):
        ask(agent.path, {"ask": "token"}, seconds=5)


def test_a_task_needs_a_token_or_an_identity_of_a_run(monkeypatch):
    monkeypatch.delenv(acting.SOCKET, raising=False)
    with pytest.raises(Misconfigured, match="nothing began a session") as refused:
        token_of({"identity": IDENTITY, "token": "a-token"})
    assert refused.value.option == "identity"
    with pytest.raises(Misconfigured, match="Set token, identity, KEYTURN_TOKEN or KEYTURN_AS"):
        token_of({"identity": None, "token": None})
    assert token_of({"identity": None, "token": " a-token\n"}).current() == "a-token"
    monkeypatch.setenv(acting.SOCKET, "agent")
    assert isinstance(token_of({"identity": IDENTITY, "token": None}), AgentToken)
