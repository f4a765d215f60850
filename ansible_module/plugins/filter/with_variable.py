# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets one variable in the text of a file of variables, and leaves everything else as it is."""

from __future__ import annotations

DOCUMENTATION = r"""
name: with_variable
short_description: Set one variable in the text of a file of variables
version_added: 0.1.0
author: The Keyturn authors (@keyturn)
description:
  - Replaces the value of a variable, or adds the variable at the end. All other lines, comments included, stay as they
    are.
seealso:
  - plugin: keyturn.hub.new_secret
    plugin_type: lookup
positional: _input, variable, value
options:
  _input:
    description: The text of a YAML file with variables.
    type: str
    required: true
  variable:
    description: The name of the variable.
    type: str
    required: true
  value:
    description: Its value. It must hold nothing but letters, digits and C(_), as secrets of Keyturn do.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: The file with another token in it
  ansible.builtin.set_fact:
    after: "{{ before | keyturn.hub.with_variable('keyturn_token', made.secret) }}"
  no_log: true
"""

RETURN = r"""
_value:
  description: The text, with the variable in it.
  type: str
"""

import re

from ansible.errors import AnsibleFilterError


def with_variable(text, variable, value):
    """The text with the variable in it. Raises AnsibleFilterError."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", variable, re.ASCII):
        raise AnsibleFilterError("keyturn.hub.with_variable needs the name of a variable.")
    if not re.fullmatch(r"[A-Za-z0-9_]+", value, re.ASCII):
        raise AnsibleFilterError("keyturn.hub.with_variable takes letters, digits and _ alone as a value.")
    # The variable's own line, and those of its value that follow: they are indented.
    place = re.compile(rf"^(?P<quote>[\"']?){variable}(?P=quote)[ \t]*:(?:[ \t].*)?$(?:\n[ \t]+.*$)*", re.MULTILINE)
    line = f"{variable}: {value}"
    after, found = place.subn(lambda _match: line, text)
    if found > 1:
        raise AnsibleFilterError(f"The variable {variable} is there more than once.")
    if found:
        return after
    return text + ("" if not text or text.endswith("\n") else "\n") + line + "\n"


class FilterModule:
    """The filter."""

    def filters(self):
        """By name."""
        return {"with_variable": with_variable}
