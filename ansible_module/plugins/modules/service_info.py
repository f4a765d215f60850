#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: service_info
short_description: Tell of services
version_added: 0.1.0
description:
  - Reads services.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.service
options:
  key:
    description:
      - The one service to tell of, by key or id.
    type: str
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Tell of one service
  keyturn.hub.service_info:
    key: ci
  register: found
"""

RETURN = r"""
services:
  description: The services; none where there is none of this key. With O(fields), what it asks for instead.
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
      sample: ci
    name:
      description: Its name.
      type: str
      sample: Build server
    applicationName:
      description: What kind of program it is.
      type: str
    vendor:
      description: Who makes the program.
      type: str
    version:
      description: The program's version.
      type: str
    homeUrl:
      description: Where people find it.
      type: str
      sample: https://ci.example.com
    iconUrl:
      description: Its picture.
      type: str
    baseUrls:
      description: Where it is reached.
      type: list
      elements: str
    redirectUris:
      description: Where people are sent back to after they have logged in for it.
      type: list
      elements: str
    grantTypes:
      description: In which ways it may come by access tokens.
      type: list
      elements: str
      sample: ["client_credentials"]
    trusted:
      description: Whether nobody needs to approve what it may do for them.
      type: bool
    public:
      description: Whether it cannot keep a secret.
      type: bool
    defaultRoles:
      description: The roles that it names as those of new members.
      type: list
      elements: dict
      contains:
        id:
          description: The role's id.
          type: str
    permissions:
      description: The permissions that it declares for roles.
      type: list
      elements: dict
      contains:
        key:
          description: The permission's key.
          type: str
        name:
          description: Its name.
          type: str
    groups:
      description: The groups whose members see it without further permissions.
      type: list
      elements: dict
      contains:
        id:
          description: The group's id.
          type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"key": {"type": "str", "no_log": False}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.services)


if __name__ == "__main__":
    main()
