#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: webhook_info
short_description: Tell of webhooks
version_added: 0.1.0
description:
  - Reads webhooks, with how their receivers answer, what waits, and when that is tried again.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
options:
  name:
    description:
      - The webhooks to tell of, by name or id.
    type: str
  fields:
    description:
      - What to tell of each, in the notation of Hub's REST API.
    type: str
"""

EXAMPLES = r"""
- name: Tell of one webhook
  keyturn.hub.webhook_info:
    name: operations
  register: found

- name: It takes what it is sent
  ansible.builtin.assert:
    that: found.webhooks[0].failing is none
    fail_msg: "{{ found.webhooks[0].problem }}; {{ found.webhooks[0].waiting }} messages wait"
"""

RETURN = r"""
webhooks:
  description: The webhooks; none where there is none of this name.
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"name": {"type": "str"}, "fields": {"type": "str"}}


def main():
    run(ARGUMENTS, reading.webhooks)


if __name__ == "__main__":
    main()
