# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a task acts with: its token, or the access token of a session that its option `identity` began.

Such an access token is in the memory of an agent (`plugin_utils/agent.py`), a process on the controller that lives as
long as the run. A module knows the path of the agent's socket and asks there, so that a task that takes longer than an
access token lives goes on with the next one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import threading
import time

from ansible.module_utils.basic import env_fallback
from ansible_collections.keyturn.hub.plugins.module_utils.transport import Misconfigured

TOKEN_FORM = re.compile(r"[!-~]+")  # what a header carries as it is; a Hub's tokens hold more than RFC 6750 lets
# The command line has the same names.
SOURCE_VARIABLE, ACCOUNT_VARIABLE, AUDIENCE_VARIABLE = "KEYTURN_IDENTITY_SOURCE", "KEYTURN_AS", "KEYTURN_AUDIENCE"
SOURCES = ["aap", "aws", "file", "github", "gitlab", "kubernetes", "variable"]
IDENTITY = {
    "type": "dict",
    "options": {
        "source": {
            "type": "str",
            "choices": SOURCES,
            "required": True,
            "fallback": (env_fallback, [SOURCE_VARIABLE]),
        },
        "account": {"type": "str", "required": True, "fallback": (env_fallback, [ACCOUNT_VARIABLE])},
        "audience": {"type": "str", "fallback": (env_fallback, [AUDIENCE_VARIABLE])},
        "file": {"type": "path"},
        "variable": {"type": "str"},
    },
}
SOCKET = "KEYTURN_AGENT_SOCKET"  # the environment variable by which a module learns where the agent is
# The agent may have to ask the platform, and then the server for as long as `session.ENDPOINT_SECONDS` says, whatever
# the timeout of a task. Who asks meanwhile gets the same answer.
ANSWER_SECONDS = 180
# Asking for each request costs more than this saves. Where the session cannot be renewed, less may be left of the
# access token: the server then refuses it, and the agent is asked again.
KEPT_SECONDS = 15
LONGEST_ANSWER = 65536  # bytes


class NoAnswer(Exception):
    """The agent does not answer, or says why it has no access token."""


def ask(path, question, seconds=ANSWER_SECONDS):
    """The answer of the agent whose socket is at `path`. Raises NoAnswer, which never holds a secret."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(seconds)
            line.connect(path)
            line.sendall(json.dumps(question).encode() + b"\n")
            answer = json.loads(_received(line))
        problem = answer.get("problem")
    except (OSError, ValueError, AttributeError):
        raise NoAnswer("the process that keeps this run's session does not answer; it has ended.") from None
    if problem:
        raise NoAnswer(problem)
    return answer


def _received(line):
    received = b""
    while not received.endswith(b"\n"):
        part = line.recv(LONGEST_ANSWER)
        if not part or len(received) > LONGEST_ANSWER:
            raise ValueError
        received += part
    return received


def fingerprint(token):
    """What names an access token without giving it away: its SHA-256 hash."""
    return hashlib.sha256(token.encode()).hexdigest()


class AgentToken:
    """The access token of a run's session, as the agent has it. Many threads may ask. Raises NoAnswer."""

    option = "identity"

    def __init__(self, path, clock=time.monotonic):
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._token = None
        self._asked = 0

    def current(self):
        """The access token for the next request."""
        with self._lock:
            if self._token is None or self._clock() - self._asked > KEPT_SECONDS:
                self._learn({"ask": "token"})
            return self._token

    def after_refusal(self, refused):
        """Another access token than the one that the server refused, if there is one; otherwise the same."""
        with self._lock:
            if self._token == refused:
                self._learn({"ask": "token", "refused": fingerprint(refused)})
            return self._token

    def _learn(self, question):
        self._token = ask(self._path, question)["token"]
        self._asked = self._clock()


class FixedToken:
    """A token that a task gives, which is the same for every request. Raises Misconfigured, without the token."""

    option = "token"

    def __init__(self, token):
        self._token = token.strip()
        if not TOKEN_FORM.fullmatch(self._token):
            raise Misconfigured("token", "is empty, or holds characters that no token has.")

    def current(self):
        """The token for the next request."""
        return self._token

    def after_refusal(self, refused):
        """There is no other one."""
        return refused


def token_of(parameters):
    """What a task acts with. Raises Misconfigured."""
    if parameters["identity"]:
        path = os.environ.get(SOCKET)
        if not path:
            raise Misconfigured("identity", "works in tasks of Ansible alone: nothing began a session for this module.")
        return AgentToken(path)
    if parameters["token"] is None:
        raise Misconfigured("token", "is missing. Set token, identity, KEYTURN_TOKEN or KEYTURN_AS.")
    return FixedToken(parameters["token"])
