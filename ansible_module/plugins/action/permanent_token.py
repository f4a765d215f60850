# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs every module of this collection (`meta/runtime.yml` says so) and keeps secrets from being printed or written.

A module cannot do so itself: what it marks as not to be logged is removed from its result, and the play could not hand
the secret over. A controller-side plugin can mark the result as hidden while the registered variable keeps it.
"""

from __future__ import annotations

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.keyturn.hub.plugins.plugin_utils.hiding import hide, put_together

display = Display()


class ActionModule(ActionBase):
    """Hides results that hold a secret from every callback."""

    _supports_check_mode = True
    _supports_async = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = self._arguments()
        self._keep_off_disk()
        # The connection plugins print what comes back at -vvv, before anybody has seen whether it holds a secret.
        self._play_context.no_log = True
        result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val))
        put_together(result, arguments)
        hide(result)
        if result.get("_ansible_no_log") and result.get("plan") and self._task.diff:
            display.display("\n".join(result["plan"]))  # its result is not shown, and a plan holds no secret
        return result

    def _arguments(self):
        """The task's arguments, and those that are in a file, which may be encrypted by ansible-vault."""
        arguments = dict(self._task.args)
        source = arguments.get("src")
        if source is None:
            return arguments
        if arguments.get("bots") is not None:
            raise AnsibleError("Option src: cannot be given together with bots.")
        bots = self._loader.load_from_file(self._find_needle("files", source))
        if isinstance(bots, dict) and "bots" in bots:
            bots = bots["bots"]
        if not isinstance(bots, list):
            raise AnsibleError("Option src: the file must hold a list of bots, or one under the key bots.")
        del arguments["src"]
        return dict(arguments, bots=bots)

    def _keep_off_disk(self):
        """Send module and arguments over the connection's standard input, not in a temporary file on the target."""
        if self._task.async_val:
            return
        try:
            self._connection.set_option("pipelining", True)
        except (KeyError, AttributeError):
            self._play_context.pipelining = True
