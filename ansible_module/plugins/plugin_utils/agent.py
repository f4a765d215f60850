# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent: a process that has a run's session in its memory, serves it to the run's tasks, and revokes it at the end.

Like an ssh-agent, it answers on a socket that only the same user can reach. It is a program of its own
(`agents.LAUNCH`), not a fork of Ansible: it has none of Ansible's memory, and none of its open files, so that nothing
that waits for Ansible's output waits for the agent.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from ansible_collections.keyturn.hub.plugins.plugin_utils.session import (
    ENDPOINT_SECONDS,
    NoSession,
    Session,
    TokenEndpoint,
)

LEAVING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
WATCHED_SECONDS = 0.5  # how often it looks whether the run is still there
QUESTION_SECONDS = 5  # that somebody may take to ask
LONGEST_QUESTION = 4096  # bytes
LONGEST_PATH = 100  # bytes; sockets' paths have at most 104 (BSD) or 108 (Linux)
REVOCATION_SECONDS = 330  # an access token ends by itself before
PAUSE_SECONDS = 10  # between two attempts to revoke


def serve(configuration):
    """What the process does. The first line that it prints says where it listens, or why there is no session."""
    os.chdir("/")
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.fork():
        os._exit(0)  # whoever started this waits for it, and for no grandchild
    for number in LEAVING:
        signal.signal(number, _leave)
    session, agent, waiting = None, None, None
    try:
        session = Session(TokenEndpoint(configuration["options"], seconds=ENDPOINT_SECONDS), configuration["identity"])
        session.token()
        agent = Agent(session, Process(**configuration["run"]))
        _tell({"path": agent.path})
        waiting = agent.work()
    except NoSession as problem:
        _tell({"problem": str(problem), "option": problem.option})
    except Exception as fault:  # whoever waits is told, whatever it is
        _tell({"problem": _described(fault), "option": "identity"})
    finally:
        _ignore_signals()
        if agent:
            agent.close()
        if session:
            _end(session, waiting)


def _leave(_number, _frame):
    _ignore_signals()
    raise SystemExit


def _ignore_signals():
    """What is leaving already is not kept from revoking."""
    for number in LEAVING:
        signal.signal(number, signal.SIG_IGN)


def _tell(what):
    """Say it, and close all that connects this process to the one that started it."""
    print(json.dumps(what), flush=True)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)


class Process:
    """A process, by number and start: a number alone is given again."""

    def __init__(self, pid, started):
        self.pid = pid
        self.started = started

    @classmethod
    def known(cls, pid):
        """The process that has this number now."""
        return cls(pid, _started(pid))

    def lives(self):
        """Whether it does."""
        return self.started is not None and _started(self.pid) == self.started


def _started(pid):
    """When the process was started, in whatever way the system tells; None if there is none, or it has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            told = file.read().rpartition(b")")[2].split()  # the name, in brackets, may hold anything
        return None if told[0] in (b"Z", b"X") else told[19].decode()
    except OSError:
        if os.path.exists("/proc/self/stat"):
            return None
    told = subprocess.run(  # noqa: S603 - the system's own program
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(None, 1)
    return None if not told or told[0].startswith("Z") else told[1].strip()


class Agent:
    """Serves a session on a socket in a folder of its own, as long as the run lives."""

    def __init__(self, session, run):
        self._session = session
        self._run = run
        parent = tempfile.gettempdir()
        short = parent if len(parent) < LONGEST_PATH - 30 else "/tmp"  # noqa: S108 - the folder in it is ours alone
        self._folder = tempfile.mkdtemp(prefix="keyturn-", dir=short)
        self.path = os.path.join(self._folder, "agent")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(128)
        self._listener.settimeout(WATCHED_SECONDS)

    def work(self):
        """Answer until the run has ended, or says that it ends; whoever said so, and waits, is returned."""
        waiting = None
        while waiting is None and self._run.lives():
            waiting = self._next()
        return waiting

    def close(self):
        """Listen no more."""
        self._listener.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _next(self):
        """Answer one question; whoever asked for the end waits for it, and is returned."""
        try:
            line, _address = self._listener.accept()
        except OSError:  # also that nobody asked
            return None
        try:
            line.settimeout(QUESTION_SECONDS)
            if not _is_ours(line):
                line.close()
                return None
            question = json.loads(_received(line))
            if question.get("ask") == "end":
                return line
            _answer(line, {"alive": True} if question.get("ask") == "alive" else self._answer_to(question))
        except Exception:  # noqa: S110 - whoever asks badly, or is gone, gets no answer, and ends no session
            pass
        line.close()
        return None

    def _answer_to(self, question):
        try:
            return {"token": self._session.token(question.get("refused"))}
        except NoSession as problem:
            return {"problem": str(problem)}
        except Exception as fault:  # the run goes on, and the next one who asks may have an answer
            return {"problem": _described(fault)}


def _described(fault):
    """What can be said of a fault that nobody thought of: its message could hold a token."""
    return f"the process that keeps this run's session fails ({type(fault).__name__}). This is a fault of keyturn.hub."


def _end(session, waiting):
    """Revoke, again and again if need be. Whoever waits learns how the first attempt came out."""
    ends = time.monotonic() + REVOCATION_SECONDS
    while True:
        problem = None
        try:
            session.end()
        except NoSession as refusal:
            problem = str(refusal)
        except Exception as fault:  # it is tried again, as after a refusal
            problem = _described(fault)
        if waiting:
            try:
                _answer(waiting, {"problem": problem} if problem else {"ended": True})
                waiting.close()
            except OSError:
                pass
            waiting = None
        if not problem or time.monotonic() > ends:
            return
        time.sleep(PAUSE_SECONDS)


def _is_ours(line):
    """Whether the same user asks, where the system says who does; the folder keeps others out everywhere."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    _pid, user, _group = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return user == os.getuid()


def _received(line):
    received = b""
    while not received.endswith(b"\n"):
        part = line.recv(LONGEST_QUESTION)
        if not part or len(received) > LONGEST_QUESTION:
            raise ValueError
        received += part
    return received


def _answer(line, what):
    line.sendall(json.dumps(what).encode() + b"\n")
