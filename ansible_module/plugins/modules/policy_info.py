#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: policy_info
short_description: Tell of policies
version_added: 0.1.0
description:
  - Reads the policy of a service or group.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.info
seealso:
  - module: keyturn.hub.policy
options:
  service:
    description:
      - The service, by key, id or name. Either this or O(group).
    type: str
  group:
    description:
      - The group, by name or id.
    type: str
"""

EXAMPLES = r"""
- name: Read the token policy of the build server
  keyturn.hub.policy_info:
    service: ci
  register: found
"""

RETURN = r"""
policies:
  description: The policy, if there is one.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id of the service or group.
      type: str
    longestLifeDays:
      description: How long a secret is good at most; null for no limit.
      type: int
      sample: 90
    rotationDueDays:
      description: After how long a secret should be renewed; null where it is never due.
      type: int
      sample: 60
    unusedDays:
      description: After how long without a use a token counts as unused; null where none does.
      type: int
    unused:
      description: What happens to a token that is unused.
      type: str
      sample: flag
    reused:
      description: What happens to a token whose retired secret is reused.
      type: str
      sample: flag
    leaked:
      description: What happens to a token that was leaked.
      type: str
      sample: revoke
"""

from ansible_collections.keyturn.hub.plugins.module_utils import reading
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

ARGUMENTS = {"service": {"type": "str"}, "group": {"type": "str"}}


def main():
    run(
        ARGUMENTS,
        reading.policies,
        mutually_exclusive=[("service", "group")],
        required_one_of=[("service", "group")],
    )


if __name__ == "__main__":
    main()
