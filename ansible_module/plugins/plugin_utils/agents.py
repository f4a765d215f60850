# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which agents a run has: they are found, started, and told of the end.

Where an agent listens is written down in the run's own temporary folder (`DEFAULT_LOCAL_TMP`), which Ansible makes when
it starts and all of its workers know. It holds no secret. A lock beside it lets one worker at a time look and start.
"""

from __future__ import annotations

import atexit
import fcntl
import glob
import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import time

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.keyturn.hub.plugins.module_utils.acting import ANSWER_SECONDS, NoAnswer, ask
from ansible_collections.keyturn.hub.plugins.module_utils.transport import Misconfigured, root
from ansible_collections.keyturn.hub.plugins.plugin_utils.agent import Process
from ansible_collections.keyturn.hub.plugins.plugin_utils.session import NoSession

LAUNCH = (
    "import json, sys; told = json.load(sys.stdin); sys.path[:] = told['modules']; "
    "from ansible_collections.keyturn.hub.plugins.plugin_utils.agent import serve; serve(told)"
)
START_SECONDS = ANSWER_SECONDS + 20  # it has to load as well, and then logs in as for any answer
END_SECONDS = 10
FAILED_SECONDS = 5  # in which the other hosts of a task learn of a failure instead of repeating it
DEPTH = 6  # folders from this file to the one that holds ansible_collections


def socket_of(options, identity):
    """Where the agent listens that has this run's session for these options; it is started if there is none.

    It is the same one for every `timeout`, and for the address with and without the API's path. Raises NoSession.
    """
    try:
        told = dict(options, url=root(options["url"]), timeout=None)
    except Misconfigured as problem:
        raise NoSession(str(problem), problem.option) from None
    named = json.dumps([told, identity], sort_keys=True).encode()
    base = os.path.join(constants.DEFAULT_LOCAL_TMP, f"keyturn-{hashlib.sha256(named).hexdigest()[:16]}")
    try:
        with open(base + ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return _found(base) or _started(base, options, identity)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NoSession(f"Ansible's temporary folder cannot be used: {reason}.") from None


def _found(base):
    """The path of an agent that answers; None if there is none. Raises NoSession for a failure of just now."""
    try:
        with open(base + ".agent") as file:
            told = json.load(file)
    except (OSError, ValueError):
        return None
    if "problem" in told:
        if time.time() - told["at"] < FAILED_SECONDS:
            raise NoSession(told["problem"], told["option"])
        return None
    try:
        ask(told["path"], {"ask": "alive"})
    except NoAnswer:
        return None
    return told["path"]


def _started(base, options, identity):
    run = Process.known(_main_process())
    configuration = {
        "modules": [*sys.path, _above(__file__, DEPTH)],
        "options": options,
        "identity": identity,
        "run": {"pid": run.pid, "started": run.started},
    }
    told = _launched(configuration)
    with open(base + ".agent", "w") as file:
        json.dump(dict(told, at=time.time()), file)
    if "problem" in told:
        raise NoSession(told["problem"], told["option"])
    return told["path"]


def _launched(configuration):
    """What the new agent says. Nothing secret is on its command line, and no open file of this process goes to it."""
    failed = {"problem": "the process that keeps the session cannot be started.", "option": "identity"}
    try:
        process = subprocess.run(  # noqa: S603 - the Python that runs this
            [sys.executable, "-I", "-B", "-c", LAUNCH],
            input=json.dumps(configuration).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=START_SECONDS,
            check=False,
        )
        told = json.loads(process.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return failed
    return told if isinstance(told, dict) else failed


def _main_process():
    """The number of the process of ansible-playbook; tasks run in its children, some lookups in itself."""
    parent = multiprocessing.parent_process()
    return parent.pid if parent else os.getpid()


def _above(path, levels):
    for _level in range(levels):
        path = os.path.dirname(path)
    return path


def end_all():
    """End this run's sessions, and wait for it for a few seconds."""
    for place in glob.glob(os.path.join(glob.escape(constants.DEFAULT_LOCAL_TMP), "keyturn-*.agent")):
        try:
            with open(place) as file:
                path = json.load(file).get("path")
            if path and os.path.exists(path):
                ask(path, {"ask": "end"}, END_SECONDS)
        except (OSError, ValueError):
            continue
        except NoAnswer as problem:
            Display().warning(
                f"keyturn.hub: this run's session could not be revoked yet: {problem} It is tried again, and ends by "
                "itself in five minutes at most."
            )


def end_with_this_process():
    """Once, in the process of ansible-playbook itself: it loads the action plugin before it forks its workers."""
    if multiprocessing.parent_process() is None:
        own = os.getpid()
        atexit.register(lambda: end_all() if os.getpid() == own else None)


end_with_this_process()
