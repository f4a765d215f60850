# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every module of this collection, begins sessions by identity, and keeps secrets from being printed or written.

A module cannot hide a secret itself: what it marks as not to be logged is removed from its result, and the play could
not hand the secret over. A controller-side plugin can mark the result as hidden while the registered variable keeps it.

The files beside this one give it the other modules' names. Ansible's own process loads an action plugin only where it
has the task's name, and it is there that the end of sessions is waited for (`agents`).
"""

from __future__ import annotations

import os
import sys

from ansible import constants
from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader
from ansible.utils.display import Display
from ansible_collections.keyturn.hub.plugins.module_utils.acting import SOCKET
from ansible_collections.keyturn.hub.plugins.plugin_utils import agents
from ansible_collections.keyturn.hub.plugins.plugin_utils.hiding import (
    blotted,
    hide,
    holds,
    put_together,
    require_dictionaries,
    secrets_of,
    subject,
    values_at,
)
from ansible_collections.keyturn.hub.plugins.plugin_utils.identity_options import login_of
from ansible_collections.keyturn.hub.plugins.plugin_utils.session import NoSession

display = Display()

TOKEN_VARIABLE = "KEYTURN_TOKEN"  # where modules find the option token if it is not given
NO_ASYNC = (
    "async is refused: Ansible would write the task's token, and the secrets in its result, to files on the target, "
    "where they stay. Remove async and poll: this module ends by itself, as its options timeout and retries say."
)
NO_DEBUG = "ANSIBLE_DEBUG is refused: it prints all that a module returns, also secrets. Use -vvvv instead."
NO_KEEPING = "ANSIBLE_KEEP_REMOTE_FILES is refused: it keeps the task's token in a file on the target. Unset it."
NO_SHOWN_ARGUMENTS = (
    "ANSIBLE_DISPLAY_ARGS_TO_STDOUT is refused: it prints the task's token. Unset it, or set no_log for the task."
)
NO_PIPELINING = (
    "This connection ({}) cannot send a module over its standard input, so Ansible would write the task's token to a "
    "file on the target. Run the task where it can, such as with delegate_to: localhost{}."
)


class ActionModule(ActionBase):
    """Hides results that hold a secret from every callback."""

    _supports_check_mode = True
    _supports_async = True  # to refuse it with its reason
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        # First of all: whatever ends the task after this, its failure would show what the loop goes over.
        hidden = self._hide_loop(task_vars, secrets_of(self._task.args))
        arguments = self._task.args
        try:
            refusal = self._refusal()
            if refusal:
                result.update(failed=True, msg=refusal)
            else:
                arguments = self._arguments()
                require_dictionaries(arguments)
                result.update(self._executed(arguments, task_vars))
        except AnsibleError as problem:  # such as a host that cannot be reached
            self._tell({"_ansible_no_log": hidden, "failed": True, "msg": str(problem)}, arguments, task_vars)
            raise
        unknown = result.pop("unknown", [])
        secrets = secrets_of(arguments).union(*(values_at(arguments, names) for names in unknown))
        if result.get("failed"):
            # Also of a module that did not live to blot it out itself, whatever it left on its standard error.
            result = blotted(result, secrets)
        else:
            put_together(result, arguments)
            hide(result)
        if self._hide_loop(task_vars, secrets) or hidden:
            result["_ansible_no_log"] = True
        if result.get("_ansible_no_log") and task_vars.get("ansible_loop_var"):
            # ansible-core before 2.19 tells callbacks all results of a loop together, and hides them by this alone.
            self._task.no_log = True
        self._tell(result, arguments, task_vars)
        return result

    def _executed(self, arguments, task_vars):
        """What the module returns, or why it cannot be run. `arguments` gets the token that is in the environment."""
        task, environment = self._task, self._task.environment
        self._take_token(arguments)
        try:
            sent, variables = self._with_session(arguments, task_vars)
            refusal = self._connection_refusal()
            if refusal:
                return {"failed": True, "msg": refusal}
            # The connection plugins print what comes back at -vvv, before anybody has seen whether it holds a secret.
            self._play_context.no_log = True
            return self._execute_module(module_args=sent, task_vars=variables)
        except NoSession as problem:
            return {"failed": True, "msg": f"Option {problem.option}: {problem}"}
        finally:
            self._task, task.environment = task, environment  # for the next attempt

    def _take_token(self, arguments):
        """A token in the task's `environment` goes with the arguments, by standard input: as a variable it would be on
        the command line, which is printed at -vvv, and which everybody on the target can read.
        """
        variables = {}
        self._compute_environment_string(variables)
        token = variables.pop(TOKEN_VARIABLE, None)
        if token is not None:
            self._task.environment = [variables]
            if not arguments.get("identity"):
                arguments.setdefault("token", token)

    def _with_session(self, arguments, task_vars):
        """The arguments and variables to run the module with. Raises NoSession.

        A task that acts by an identity runs on this machine, where it can ask for the session's access token.
        """
        login = login_of(arguments)
        if login is None:
            return arguments, task_vars
        path = agents.socket_of(*login)
        self._task = self._task.copy()
        self._task.delegate_to = None
        self._task.environment = [*(self._task.environment or []), {SOCKET: path}]
        self._play_context = self._play_context.copy()
        self._play_context.become = False
        self._play_context.connection = "local"
        self._connection = connection_loader.get("ansible.builtin.local", self._play_context, os.devnull)
        self._connection.set_options()
        arguments = {name: value for name, value in arguments.items() if name != "token"}
        return dict(arguments, identity=login[1]), dict(task_vars, ansible_python_interpreter=sys.executable)

    def _refusal(self):
        """Why nothing can be run without a secret being printed or written; None if it can."""
        if self._task.async_val:
            return NO_ASYNC
        if constants.DEFAULT_DEBUG:
            return NO_DEBUG
        if constants.DEFAULT_KEEP_REMOTE_FILES:
            return NO_KEEPING
        if constants.DISPLAY_ARGS_TO_STDOUT and not self._task.no_log:
            self._task.no_log = True  # the arguments may be printed after this
            display.error(NO_SHOWN_ARGUMENTS)
            return NO_SHOWN_ARGUMENTS
        return None

    def _connection_refusal(self):
        """Why the module cannot be sent without a secret being written; None if it can."""
        self._keep_off_disk()
        if not self._is_pipelining_enabled("new"):
            become = self._connection.become
            return NO_PIPELINING.format(
                self._connection.transport, f", or with another become method than {become.name}" if become else ""
            )
        return None

    def _hide_loop(self, task_vars, secrets):
        """Hide every result if what the loop goes over, or its label, holds a secret; whether that is so. It is printed
        with each result, also where that is a failure.
        """
        variable = task_vars.get("ansible_loop_var")
        held = variable and (holds(task_vars.get(variable), secrets) or holds(self._label(), secrets))
        if held:
            self._task.no_log = True
        return bool(held)

    def _label(self):
        """What the loop shows instead of the item; None where it shows the item, or nothing that can be said."""
        label = self._task.loop_control.label if self._task.loop_control else None
        try:
            return self._templar.template(label)
        except AnsibleError:
            return None

    def _tell(self, result, arguments, task_vars):
        """What can be told of a result that is not shown."""
        if not result.get("_ansible_no_log"):
            return
        if result.get("plan") and self._task.diff:
            display.display("\n".join(result["plan"]))  # a plan holds no secret
        if result.get("failed"):
            display.error(f"{self._task.action}: {subject(arguments)}: {result.get('msg', '')}", wrap_text=False)
        elif task_vars.get("ansible_loop_var") and subject(arguments):
            what = "changed" if result.get("changed") else "ok"
            display.display(f"{what}: {subject(arguments)} (its result, which holds a secret, is hidden)")

    def _arguments(self):
        """The task's arguments, and those that are in a file, which may be encrypted by ansible-vault."""
        arguments = dict(self._task.args)
        source = arguments.get("src")
        if source is None:
            return arguments
        if arguments.get("bots") is not None:
            raise AnsibleError("Option src: cannot be given together with bots.")
        bots = self._load(self._find_needle("files", source))
        if isinstance(bots, dict) and "bots" in bots:
            bots = bots["bots"]
        if not isinstance(bots, list):
            raise AnsibleError("Option src: the file must hold a list of bots, or one under the key bots.")
        del arguments["src"]
        return dict(arguments, bots=bots)

    def _load(self, path):
        """What is in a file. Raises AnsibleError, without the lines that Ansible would quote: they may hold secrets."""
        problem = None
        try:
            return self._loader.load_from_file(path)
        except AnsibleFileNotFound:
            problem = "cannot be found"
        except AnsibleError:
            problem = "cannot be read: it is no valid YAML, or no password of ansible-vault opens it"
        raise AnsibleError(f"Option src: the file {path} {problem}.")

    def _keep_off_disk(self):
        """Send module and arguments over the connection's standard input, not in a temporary file on the target."""
        try:
            self._connection.set_option("pipelining", True)
        except (KeyError, AttributeError):
            self._play_context.pipelining = True
