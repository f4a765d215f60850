#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: group_info
short_description: Tell of groups
version_added: 0.1.0
description:
  - Reads groups.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.group
options:
  name:
    description:
      - The one group to tell of, by name or id.
    type: str
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Tell of one group
  keyturn.hub.group_info:
    name: Deployers
  register: found
"""

RETURN = r"""
groups:
  description: The groups; none where there is none of this name. With O(fields), what it asks for instead.
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
      sample: Deployers
    requiredTwoFactorAuthentication:
      description: Whether its members need a second factor to log in.
      type: bool
    parent:
      description: The parent group; null for none.
      type: dict
      contains:
        id:
          description: Its id.
          type: str
        name:
          description: Its name.
          type: str
    projectRoles:
      description: The roles that it has.
      type: list
      elements: dict
      contains:
        id:
          description: The grant's id.
          type: str
        role:
          description: The role.
          type: dict
          contains:
            id:
              description: Its id.
              type: str
            key:
              description: Its key.
              type: str
              sample: deployer
        project:
          description: The service for which it has the role.
          type: dict
          contains:
            id:
              description: Its id; V(0) for all services.
              type: str
            key:
              description: Its key.
              type: str
              sample: ci
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"name": {"type": "str"}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.groups)


if __name__ == "__main__":
    main()
