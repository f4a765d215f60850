# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents: real processes, which the first task starts and the run's end ends."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible import constants
from ansible_collections.keyturn.hub.plugins.module_utils.acting import NoAnswer, ask
from ansible_collections.keyturn.hub.plugins.plugin_utils import agent, agents
from ansible_collections.keyturn.hub.plugins.plugin_utils.session import NoSession

REVOKE = "/oauth2/revoke"


@pytest.fixture
def socket_of(server, identity, monkeypatch, tmp_path):
    """Where the agent is that has a session at the server; all of them are ended."""
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    usual = {"url": server.url, "timeout": 5}
    yield lambda options=None, **changes: agents.socket_of({**usual, **(options or {})}, dict(identity, **changes))
    agents.end_all()


def until(true):
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)


def pid_of(path):
    """The number of the process that listens."""
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        return int.from_bytes(line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], sys.byteorder)


def test_one_login_serves_all_who_ask_at_once(socket_of, server):
    with ThreadPoolExecutor(8) as workers:
        paths = set(workers.map(lambda _number: socket_of(), range(8)))
    (path,) = paths
    assert ask(path, {"ask": "token"}) == {"token": "access-1"}
    for options in ({"timeout": 6}, {"url": f" {server.url}/api/rest/\n"}):
        assert socket_of(options) == path
    assert server.tokens == 1
    assert socket_of(account="another") != path


def test_nobody_else_reaches_it_and_nothing_says_its_secrets(socket_of, identity):
    path = socket_of()
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    if os.path.exists("/proc/self/cmdline"):
        place = f"/proc/{pid_of(path)}"
        with open(place + "/cmdline", "rb") as file:
            said = file.read()
        assert b"agent" in said
        assert os.environ["JOB"].encode() not in said
        assert sorted(os.readlink(f"{place}/fd/{number}") for number in range(3)) == [os.devnull] * 3
        assert os.getsid(pid_of(path)) != os.getsid(0)


def test_it_answers_no_other_user():
    class Line:
        def getsockopt(self, *_asked):
            return agent.struct.pack("3i", 1, os.getuid() + 1, 1)

    if hasattr(socket, "SO_PEERCRED"):
        assert not agent._is_ours(Line())


@pytest.mark.parametrize("sent", [b"", b"nonsense\n", b"[]\n", b'{"ask": "token"', b"x" * 10_000])
def test_it_goes_on_whatever_it_is_sent(socket_of, sent):
    path = socket_of()
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        line.sendall(sent)
    assert ask(path, {"ask": "alive"}) == {"alive": True}


def test_an_address_that_is_none_is_named_before_anything_is_started(socket_of):
    with pytest.raises(NoSession, match="must be an address") as refused:
        socket_of({"url": "nowhere"})
    assert refused.value.option == "url"


class Broken:
    """A session in which something is wrong that nobody has thought of."""

    def token(self, _refused):
        raise RuntimeError("ktp_a-secret")

    def end(self):
        raise RuntimeError("ktp_a-secret")


def test_a_fault_is_told_to_who_asks_and_does_not_end_it(monkeypatch):
    started = agent.Agent(Broken(), agent.Process.known(os.getpid()))
    with ThreadPoolExecutor(1) as asking:
        asked = [asking.submit(ask, started.path, {"ask": "token"}) for _each in range(2)]
        until(lambda: started._next() or all(each.done() for each in asked))
    for each in asked:
        with pytest.raises(NoAnswer, match=r"fails \(RuntimeError\)\. This is a fault of keyturn\.hub") as told:
            each.result()
        assert "secret" not in str(told.value)
    started.close()
    times = iter([0, 1, 1_000])
    monkeypatch.setattr(agent.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(agent.time, "sleep", lambda _seconds: None)
    agent._end(Broken(), None)


def test_a_fault_at_its_start_is_told_too(server, identity, monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    with pytest.raises(NoSession, match=r"fails \(KeyError\)\. This is a fault of keyturn\.hub"):
        agents.socket_of({"url": server.url}, {"source": "variable"})


def test_it_revokes_and_is_gone_when_it_is_told_of_the_end(socket_of, server):
    path = socket_of()
    agents.end_all()
    assert [form["token"] for form in server.forms(REVOKE)] == ["access-1"]
    assert not os.path.exists(os.path.dirname(path))
    with pytest.raises(NoAnswer, match="has ended"):
        ask(path, {"ask": "token"})


def test_it_revokes_when_it_is_terminated_and_another_one_takes_its_place(socket_of, server):
    path = socket_of()
    os.kill(pid_of(path), signal.SIGTERM)
    until(lambda: server.forms(REVOKE))
    assert ask(socket_of(), {"ask": "token"}) == {"token": "access-2"}


def test_it_goes_on_revoking_when_it_is_terminated_meanwhile(socket_of, server):
    path, asked, terminated = socket_of(), threading.Event(), threading.Event()

    def busy_at_first(_form):
        first = not asked.is_set()
        asked.set()
        return (503 if first and terminated.wait(60) else 200), {}

    server.answers["/api/rest" + REVOKE] = busy_at_first
    pid = pid_of(path)
    with ThreadPoolExecutor(1) as ending:
        ending.submit(agents.end_all)
        assert asked.wait(60)
        os.kill(pid, signal.SIGTERM)
        terminated.set()
    until(lambda: len(server.forms(REVOKE)) == 2)


def test_another_one_takes_the_place_of_one_that_was_killed(socket_of, server):
    path = socket_of()
    os.kill(pid_of(path), signal.SIGKILL)
    assert socket_of() != path
    os.remove(path)
    os.rmdir(os.path.dirname(path))


def test_a_refusal_is_told_to_all_and_not_repeated_for_each(socket_of, server):
    refusal = (400, {"error": "invalid_grant", "error_description": "No."})
    server.answers["/api/rest/oauth2/token"] = lambda _form: refusal
    for _each in range(3):
        with pytest.raises(NoSession, match=r"No\."):
            socket_of()
    assert len(server.forms("/oauth2/token")) == 1


def test_it_revokes_when_the_process_that_it_serves_is_gone(server, identity):
    """Also where that was killed, and nobody has taken note of its end."""
    served = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    run = agent.Process.known(served.pid)
    told = agents._launched(
        {
            "modules": [*sys.path, agents._above(agents.__file__, agents.DEPTH)],
            "options": {"url": server.url, "timeout": 5},
            "identity": identity,
            "run": {"pid": run.pid, "started": run.started},
        }
    )
    assert ask(told["path"], {"ask": "alive"})
    served.kill()
    until(lambda: server.forms(REVOKE))
    assert not run.lives()
    served.wait()
    assert not os.path.exists(told["path"])


def test_a_process_is_known_by_its_start_as_well():
    own = agent.Process.known(os.getpid())
    assert own.lives()
    assert not agent.Process(own.pid, "before").lives()
    assert not agent.Process.known(2**22 + 1).lives()
