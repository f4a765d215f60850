#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: current_token_info
short_description: Tell of the token that is presented
version_added: 0.1.0
description:
  - Reads what the option O(token) itself is, whatever its scope, so that whoever holds a token can see whether it
    is good, whose it is and when it ends.
  - Keyturn alone can tell.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.permanent_token
options: {}
"""

EXAMPLES = r"""
- name: What was handed over is good
  keyturn.hub.current_token_info:
    token: "{{ handed_over }}"
  register: current
"""

RETURN = r"""
permanent_token:
  description: The token, with its owner and RV(ignore:endsOn). A token that is not good is a failure.
  returned: success
  type: dict
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


def main():
    run({}, reading.current_token)


if __name__ == "__main__":
    main()
