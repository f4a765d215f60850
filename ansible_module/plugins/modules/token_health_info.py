#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: token_health_info
short_description: Tell which permanent tokens deserve a look
version_added: 0.1.0
description:
  - Reads the tokens that have ended, end soon, are unused, due for a new secret, leaked or were presented with a
    superseded secret.
  - Keyturn alone can tell.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.permanent_token
  - module: keyturn.hub.policy
options:
  label:
    description:
      - Only tokens with this label.
    type: str
  within:
    description:
      - Also tokens that end within this time.
    type: str
    default: 30d
"""

EXAMPLES = r"""
- name: Nothing ends within a week without somebody knowing
  keyturn.hub.token_health_info:
    within: 7d
  register: health

- name: Say so
  ansible.builtin.debug:
    msg: "{{ item.user.login }}: {{ item.name }} {{ item.flags }}"
  loop: "{{ health.permanent_tokens }}"
"""

RETURN = r"""
permanent_tokens:
  description: The tokens, each with its owner, RV(ignore:flags), RV(ignore:endsOn) and RV(ignore:lastAccessTime).
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
    description:
      description: What it is for; null if nobody said so.
      type: str
    contact:
      description: Whom to ask about it; null if nobody said so.
      type: str
    labels:
      description: By what it is found.
      type: list
      elements: str
      sample: ["team=payments"]
    endsOn:
      description: From when on it is refused, in milliseconds since 1970; null if nothing says so.
      type: int
      sample: 1797000000000
    flags:
      description: What there is to do something about.
      type: list
      elements: str
      sample: ["rotation-due"]
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"label": {"type": "str"}, "within": {"type": "str", "default": "30d"}}


def main():
    run(ARGUMENTS, reading.token_health)


if __name__ == "__main__":
    main()
