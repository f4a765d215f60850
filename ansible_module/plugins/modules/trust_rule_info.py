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
  description:
    - The trust rules. With O(fields), what it asks for instead.
    - Where an issuer's public keys were given by hand, they are in a member C(keys). Say C(rule['keys']).
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: z9nrlNKKojgb
    name:
      description: Its name.
      type: str
      sample: GitHub
    issuer:
      description: Who signs the tokens that it admits.
      type: str
      sample: https://token.actions.githubusercontent.com
    audience:
      description: For whom they have to be.
      type: str
    conditions:
      description: "What their claims have to be: for each claim, its values."
      type: dict
      sample: {"repository": ["acme/shop"]}
    lasting:
      description: Whether what its access tokens make at Keyturn may outlive them.
      type: bool
    scope:
      description: The services that it is good for.
      type: list
      elements: dict
      contains:
        id:
          description: Its id.
          type: str
        key:
          description: Its key.
          type: str
          sample: ci
        name:
          description: Its name.
          type: str
    lastAccessTime:
      description: When a token was traded by it last, in milliseconds since 1970; null if never.
      type: int
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"user": {"type": "str", "required": True}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.trust_rules)


if __name__ == "__main__":
    main()
