# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds secrets of Keyturn in a text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: find_secrets
short_description: Find secrets of Keyturn in a text
version_added: 0.1.0
author: The Keyturn authors (@keyturn)
description:
  - Finds what has the form of a secret of Keyturn, checksum included, without asking anybody.
seealso:
  - plugin: keyturn.hub.token
    plugin_type: test
positional: _input
options:
  _input:
    description: The text.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: No log holds a secret
  ansible.builtin.assert:
    that: (log.content | b64decode | keyturn.hub.find_secrets) is not any
    quiet: true
  no_log: true
"""

RETURN = r"""
_value:
  description: The secrets, in order.
  type: list
  elements: str
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.keyturn.hub.plugins.module_utils.token_format import secrets_in


def find_secrets(text):
    """Every secret in a text, in order. Raises AnsibleFilterError."""
    if not isinstance(text, str):
        raise AnsibleFilterError("keyturn.hub.find_secrets needs a text.")
    return secrets_in(text)


class FilterModule:
    """The filter."""

    def filters(self):
        """By name."""
        return {"find_secrets": find_secrets}
