#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: permanent_token_info
short_description: Tell of permanent tokens
version_added: 0.1.0
description:
  - Reads permanent tokens of one account, or of all, without their secrets.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.permanent_token
options:
  user:
    description:
      - The login of the account whose tokens to tell of. Left out, tokens of all accounts, which Keyturn alone can
        tell.
    type: str
  name:
    description:
      - The one token to tell of.
    type: str
  label:
    description:
      - Only tokens with this label.
    type: str
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Which tokens belong to the payments team, and when do they end?
  keyturn.hub.permanent_token_info:
    label: team=payments
    fields: name,user(login),endsOn
  register: theirs
"""

RETURN = r"""
permanent_tokens:
  description: The tokens. With O(fields), what it asks for instead.
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
      sample: nightly
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
    user:
      description: Whose it is.
      type: dict
      contains:
        id:
          description: The account's id.
          type: str
        login:
          description: The login.
          type: str
          sample: deploy-bot
    creationTime:
      description: When its current secret was made, in milliseconds since 1970.
      type: int
      sample: 1790000000000
    lastAccessTime:
      description: When it was used last, in milliseconds since 1970; null if never.
      type: int
      sample: 1790000000000
    labels:
      description: By what it is found.
      type: list
      elements: str
      sample: ["team=payments"]
    endsOn:
      description: From when on it is refused, in milliseconds since 1970; null if nothing says so.
      type: int
      sample: 1797000000000
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {
    "user": {"type": "str"},
    "name": {"type": "str"},
    "label": {"type": "str"},
    "fields": {"type": "str"},
}


def main():
    run(ARGUMENTS, reading.permanent_tokens)


if __name__ == "__main__":
    main()
