#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: permanent_token
short_description: Declare a permanent token of an account
version_added: 0.1.0
description:
  - Creates, changes, renews and deletes permanent tokens of Keyturn or JetBrains Hub.
  - A secret that is not declared is made by the module, and is only in the result of the run that makes it. That
    result is never printed, whatever the verbosity; register it and hand the secret over in the same play.
author:
  - The Keyturn authors (@keyturn)
extends_documentation_fragment:
  - keyturn.hub.connection
  - keyturn.hub.connection.attributes
  - keyturn.hub.token
attributes:
  check_mode:
    support: full
  diff_mode:
    support: partial
    details: A result that holds a secret is not printed, and so neither is its diff; in check mode it is.
notes:
  - In check mode, an account or service that does not exist yet is taken for one that an earlier task of the play
    creates.
  - The secret is made by the module, in the memory of its process on the target, and is nowhere else until the result
    is returned. An answer of the server that is lost makes no difference.
  - Of many hosts that run the same task at once, one makes the secret and has it in its result. With
    O(state=rotated), each renews it, so use C(run_once).
  - JetBrains Hub cannot change the scope of an existing token, nor rotate it. Keyturn can.
seealso:
  - module: keyturn.hub.bots
  - module: keyturn.hub.token_health_info
options:
  user:
    description:
      - The login of the account that the token belongs to.
      - To act for another account, the acting one needs at least the same permissions.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: The deployment bot holds a token for the build server, renewed each month
  keyturn.hub.permanent_token:
    url: https://tokens.example.com
    token: "{{ keyturn_token }}"
    user: deploy-bot
    name: nightly deployment
    scope: [ci]
    contact: "#deployment"
    labels: [nightly]
    max_age: 30d
    grace: 2d
  register: nightly

- name: A new secret goes where it is used
  ansible.builtin.copy:
    content: "{{ nightly.secret }}"
    dest: /etc/deploy/keyturn-token
    mode: "0600"
  no_log: true
  when: nightly.secret is defined

- name: A token whose secret is in a vault, and nowhere else
  keyturn.hub.permanent_token:
    user: report-bot
    name: weekly report
    scope: [ci]
    secret: "{{ vault_report_secret }}"
  register: report

- name: Everybody who left may have seen it
  keyturn.hub.permanent_token:
    user: deploy-bot
    name: shared
    rotate_when: "{{ team_members }}"
    grace: 1h
  register: shared

- name: The old token is gone
  keyturn.hub.permanent_token:
    user: deploy-bot
    name: deployment before 2026
    state: absent
"""

RETURN = r"""
permanent_token:
  description:
    - The token as it is now, or as it would be in check mode, without its secret.
    - It also has each option that describes the token, such as O(description) or O(labels), if the task has it.
  returned: O(state) is not V(absent)
  type: dict
  contains:
    id:
      description: The token's id; absent in check mode for a token that does not exist yet.
      type: str
    name:
      description: The token's name.
      type: str
    scope:
      description: The services that it is good for.
      type: list
      elements: dict
      contains:
        id:
          description: The service's id.
          type: str
        key:
          description: Its key.
          type: str
          sample: ci
        name:
          description: Its name.
          type: str
    expires:
      description: When it ends, if the task has O(expires_on) or O(lifetime).
      type: str
    inputs:
      description: The label that stands for O(rotate_when).
      type: str
rotated:
  description: Whether the token got, or would get, a new secret.
  returned: O(state) is not V(absent)
  type: bool
secret:
  description:
    - The token itself. The whole result is hidden from the output, and available to later tasks.
  returned: when this run made it, or O(secret) declares it
  type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import tokens
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(tokens.ARGUMENTS, tokens.ensure, tokens.FIELD_OPTIONS)


if __name__ == "__main__":
    main()
