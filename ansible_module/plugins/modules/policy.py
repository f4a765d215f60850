#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: policy
short_description: Declare what is demanded of permanent tokens
version_added: 0.1.0
description:
  - Sets and removes the policy of a service, for the tokens that are for it, or of a group, for its members'
    tokens.
  - A policy is declared as a whole, since what is left out is not demanded.
  - Keyturn alone has them.
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
  - module: keyturn.hub.policy_info
  - module: keyturn.hub.token_health_info
options:
  service:
    description:
      - The service whose policy it is, by key, id or name. Either this or O(group).
    type: str
  group:
    description:
      - The group whose policy it is, by name or id.
    type: str
  longest_life_days:
    description:
      - How long a secret is good at most.
    type: int
  rotation_due_days:
    description:
      - After how long a secret should be renewed.
    type: int
  unused_days:
    description:
      - After how long without a use a token counts as unused.
    type: int
  unused:
    description:
      - What happens to a token that is unused. If not given, V(flag).
    type: str
    choices: [flag, disable]
  reused:
    description:
      - What happens to a token whose retired secret is reused. If not given, V(flag).
    type: str
    choices: [flag, revoke]
  leaked:
    description:
      - What happens to a token that was leaked. If not given, V(revoke).
    type: str
    choices: [flag, revoke]

  state:
    description:
      - V(present) makes the policy exist as declared.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Tokens for the build server are renewed in time
  keyturn.hub.policy:
    service: ci
    longest_life_days: 90
    rotation_due_days: 60
"""

RETURN = r"""
policy:
  description: The policy as it is now, or as it would be in check mode.
  returned: O(state=present)
  type: dict
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

from ansible_collections.keyturn.hub.plugins.module_utils import policies
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(
        policies.ARGUMENTS,
        policies.ensure,
        policies.FIELD_OPTIONS,
        mutually_exclusive=[("service", "group")],
        required_one_of=[("service", "group")],
    )


if __name__ == "__main__":
    main()
