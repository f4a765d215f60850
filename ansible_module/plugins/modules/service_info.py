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
  description: The services; none where there is none of this key.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"key": {"type": "str", "no_log": False}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.services)


if __name__ == "__main__":
    main()
