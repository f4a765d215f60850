#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user_info
short_description: Tell of accounts
version_added: 0.1.0
description:
  - Reads users and bots.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.user
options:
  login:
    description:
      - The one account to tell of, by login or id.
    type: str
  query:
    description:
      - "Which to tell of, in the notation of Hub's REST API, such as V(is: bot)."
    type: str
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Who owns which bots?
  keyturn.hub.user_info:
    query: "is: bot"
    fields: login,name,owner(name),permanentTokens(name,lastAccessTime)
  register: bots
"""

RETURN = r"""
users:
  description: The accounts; none where there is none of this login. With O(fields), what it asks for instead.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: z9nrlNKKojgb
    type:
      description: What kind of account it is, V(user) or V(bot).
      type: str
      sample: bot
    login:
      description: The login.
      type: str
      sample: deploy-bot
    name:
      description: The full name.
      type: str
    banned:
      description: Whether it is banned.
      type: bool
    banReason:
      description: Why it is banned; null if it is not, or nobody said.
      type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"login": {"type": "str"}, "query": {"type": "str"}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.users, mutually_exclusive=[("login", "query")])


if __name__ == "__main__":
    main()
