# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells a secret of Keyturn from other texts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: token
short_description: Is it a secret of Keyturn?
version_added: 0.1.0
author: The Keyturn authors (@keyturn)
description:
  - Whether a text has the form of a secret of Keyturn, checksum included. Nobody is asked, so it may have ended.
seealso:
  - plugin: keyturn.hub.find_secrets
    plugin_type: filter
  - module: keyturn.hub.current_token_info
positional: _input, kind
options:
  _input:
    description: The text.
    type: raw
    required: true
  kind:
    description: What kind of secret it has to be.
    type: str
    choices:
      - any
      - permanent token
      - application password
      - session
      - authorization code
      - service secret
      - device code
      - refresh token
    default: permanent token
"""

EXAMPLES = r"""
- name: What was put into the vault is a token, and whole
  ansible.builtin.assert:
    that: vault_deploy_token is keyturn.hub.token
    quiet: true
  no_log: true
"""

RETURN = r"""
_value:
  description: Whether it is one.
  type: bool
"""

from ansible_collections.keyturn.hub.plugins.module_utils.token_format import kind as kind_of


def is_token(text, kind="permanent token"):
    """Whether it is a secret of this kind."""
    found = kind_of(text)
    return found is not None and kind in ("any", found)


class TestModule:
    """The test."""

    def tests(self):
        """By name."""
        return {"token": is_token}
