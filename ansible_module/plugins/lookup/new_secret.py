# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a secret that can be declared."""

from __future__ import annotations

DOCUMENTATION = r"""
name: new_secret
short_description: Make a secret for a permanent token or a service
version_added: 0.1.0
author: The Keyturn authors (@keyturn)
description:
  - Makes 43 random characters, such as the option C(secret) of M(keyturn.hub.permanent_token) and
    M(keyturn.hub.service) takes.
  - It makes another one each time, so put it into a vault, and declare what is there.
seealso:
  - module: keyturn.hub.permanent_token
  - module: keyturn.hub.service
  - plugin: keyturn.hub.access_token
    plugin_type: lookup
options:
  _terms:
    description: Nothing.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: The vault has a secret for the report bot
  ansible.builtin.copy:
    content: "{{ {'vault_report_secret': lookup('keyturn.hub.new_secret')} | to_yaml | vault(vault_password) }}"
    dest: group_vars/all/report.yml
    mode: "0600"
    decrypt: false
    force: false
  no_log: true
"""

RETURN = r"""
_raw:
  description: The secret.
  type: list
  elements: str
"""

from ansible.plugins.lookup import LookupBase
from ansible_collections.keyturn.hub.plugins.module_utils.token_format import new_secret


class LookupModule(LookupBase):
    """The lookup."""

    def run(self, terms, variables=None, **kwargs):
        """One secret."""
        self.set_options(var_options=variables, direct=kwargs)
        return [new_secret()]
