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
  description: The groups; none where there is none of this name.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"name": {"type": "str"}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.groups)


if __name__ == "__main__":
    main()
