#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role_info
short_description: Tell of roles
version_added: 0.1.0
description:
  - Reads roles.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.role
options:
  key:
    description:
      - The one role to tell of, by key or id.
    type: str
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Tell of one role
  keyturn.hub.role_info:
    key: auditor
  register: found
"""

RETURN = r"""
roles:
  description: The roles; none where there is none of this key. With O(fields), what it asks for instead.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: z9nrlNKKojgb
    key:
      description: Its key.
      type: str
      sample: deployer
    name:
      description: Its name.
      type: str
    permissions:
      description: The permissions that it gives.
      type: list
      elements: dict
      contains:
        id:
          description: The permission's id.
          type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"key": {"type": "str", "no_log": False}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.roles)


if __name__ == "__main__":
    main()
