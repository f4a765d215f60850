#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: trust_rule_info
short_description: Tell of trust rules
version_added: 0.1.0
description:
  - Reads the trust rules of an account.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.trust_rule
options:
  user:
    description:
      - The login of the account.
    type: str
    required: true
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Tell of trust rules
  keyturn.hub.trust_rule_info:
    user: deploy-bot
  register: found
"""

RETURN = r"""
trust_rules:
  description: The trust rules.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"user": {"type": "str", "required": True}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.trust_rules)


if __name__ == "__main__":
    main()
