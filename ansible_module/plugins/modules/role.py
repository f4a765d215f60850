#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: role
short_description: Declare a role
version_added: 0.1.0
description:
  - Creates, changes and deletes roles, which are named bundles of permissions.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
seealso:
  - module: keyturn.hub.role_info
options:
  key:
    description:
      - The role's key, which identifies it.
    type: str
    required: true
  name:
    description:
      - Its name. Required to create a role.
    type: str
  permissions:
    description:
      - Exactly the permissions that it gives, each by its id, which is the id of the service that declares it, a
        colon, and its key, such as V(0-0-0-0-0:read-user). Required to create a role.
      - Nobody can put into a role what they do not have themselves.
    type: list
    elements: str

  state:
    description:
      - V(present) makes the role exist as declared; options that are left out stay as they are.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Auditors see who is there
  keyturn.hub.role:
    key: auditor
    name: Auditor
    permissions:
      - 0-0-0-0-0:read-user
      - 0-0-0-0-0:read-audit
"""

RETURN = r"""
role:
  description: The role as it is now, or as it would be in check mode.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: The role's id; absent in check mode for a role that does not exist yet.
      type: str
    key:
      description: Its key.
      type: str
    name:
      description: Its name.
      type: str
    permissions:
      description: The ids of the permissions that it gives.
      type: list
      elements: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import roles
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(roles.ARGUMENTS, roles.ensure)


if __name__ == "__main__":
    main()
