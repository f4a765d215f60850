#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: group
short_description: Declare a group of accounts
version_added: 0.1.0
description:
  - Creates, changes and deletes groups, and says who is in them and which roles they give.
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
  - module: keyturn.hub.group_info
  - module: keyturn.hub.policy
options:
  name:
    description:
      - The group's name, or its id, which identifies it.
    type: str
    required: true
  new_name:
    description:
      - The name that it is to have. A group that has it already is taken for the one.
    type: str
  parent:
    description:
      - The parent group, by name or id; an empty text for none.
    type: str
  required_two_factor:
    description:
      - Whether its members need a second factor to log in. Tokens of bots work all the same.
    type: bool
  members:
    description:
      - Exactly the accounts that are directly in it, by login or id. Left out, all stay.
    type: list
    elements: str
  roles:
    description:
      - Exactly the roles that it has. What is not in the list is taken away; left out, all stays as it is.
      - The role C(registered-user), which every account has from the beginning, is left alone.
    type: list
    elements: dict
    suboptions:
      role:
        description: The role, by its key, id or name.
        type: str
        required: true
      service:
        description: The service for which alone it has the role, by key, id or name; otherwise everywhere.
        type: str
  state:
    description:
      - V(present) makes the group exist as declared; options that are left out stay as they are.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Deployers have a second factor and may deploy
  keyturn.hub.group:
    name: Deployers
    required_two_factor: true
    members: [jo, deploy-bot]
    roles:
      - role: deployer

- name: The group has another name
  keyturn.hub.group:
    name: Deployers
    new_name: Release managers
"""

RETURN = r"""
group:
  description: The group as it is now, or as it would be in check mode.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: The group's id; absent in check mode for a group that does not exist yet.
      type: str
    name:
      description: Its name.
      type: str
    requiredTwoFactorAuthentication:
      description: Whether its members need a second factor to log in.
      type: bool
    parent:
      description: The name of the parent group. This and what follows only if the task has the option.
      type: str
    members:
      description: The logins of its members.
      type: list
      elements: str
    roles:
      description: Its roles, each as its key, or as key and service.
      type: list
      elements: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import groups
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(groups.ARGUMENTS, groups.ensure, groups.FIELD_OPTIONS)


if __name__ == "__main__":
    main()
