# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module of the same name and keeps a new secret out of everything that is printed.

A module cannot do so itself: what it marks as not to be logged is removed from its result, and the
play could not hand the secret over. A controller-side plugin can mark the result as hidden while the
registered variable keeps it.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Hides results that hold a secret from every callback."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        # The connection plugins print what comes back at -vvv, before anybody has seen whether it
        # holds a secret.
        self._play_context.no_log = True
        result.update(self._execute_module(task_vars=task_vars))
        if "secret" in result:
            result["_ansible_no_log"] = True
        return result
