# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every module of this collection (`meta/runtime.yml` says so) and keeps secrets from being printed or written.

A module cannot do so itself: what it marks as not to be logged is removed from its result, and the play could not hand
the secret over. A controller-side plugin can mark the result as hidden while the registered variable keeps it.
"""

from __future__ import annotations

from ansible import constants
from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.keyturn.hub.plugins.plugin_utils.hiding import (
    blotted,
    hide,
    holds,
    put_together,
    secrets_of,
    subject,
)

display = Display()

NO_ASYNC = (
    "async is refused: Ansible would write the task's token, and the secrets in its result, to files on the target, "
    "where they stay. Remove async and poll: this module ends by itself, as its options timeout and retries say."
)
NO_DEBUG = "ANSIBLE_DEBUG is refused: it prints all that a module returns, also secrets. Use -vvvv instead."
NO_KEEPING = "ANSIBLE_KEEP_REMOTE_FILES is refused: it keeps the task's token in a file on the target. Unset it."
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
        refusal = self._refusal()
        if refusal:
            return dict(result, failed=True, msg=refusal)
        arguments = self._arguments()
        # The connection plugins print what comes back at -vvv, before anybody has seen whether it holds a secret.
        self._play_context.no_log = True
        result.update(self._execute_module(module_args=arguments, task_vars=task_vars))
        secrets = secrets_of(arguments)
        if result.get("failed"):
            # Also of a module that did not live to blot it out itself, whatever it left on its standard error.
            result = blotted(result, secrets)
        else:
            put_together(result, arguments)
            hide(result)
        self._hide_item(result, task_vars or {}, secrets)
        self._tell(result, arguments, task_vars or {})
        return result

    def _refusal(self):
        """Why the task cannot be run without a secret being printed or written; None if it can."""
        if self._task.async_val:
            return NO_ASYNC
        if constants.DEFAULT_DEBUG:
            return NO_DEBUG
        if constants.DEFAULT_KEEP_REMOTE_FILES:
            return NO_KEEPING
        self._keep_off_disk()
        if not self._is_pipelining_enabled("new"):
            become = self._connection.become
            return NO_PIPELINING.format(
                self._connection.transport, f", or with another become method than {become.name}" if become else ""
            )
        return None

    def _hide_item(self, result, task_vars, secrets):
        """What a loop goes over is printed with each result, also where that is a failure."""
        item = task_vars.get(task_vars.get("ansible_loop_var") or "item")
        if task_vars.get("ansible_loop_var") and holds(item, secrets):
            result["_ansible_no_log"] = True

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
