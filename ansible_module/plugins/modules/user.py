#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: user
short_description: Declare a user or bot account
version_added: 0.1.0
description:
  - Creates, changes and deletes accounts of Keyturn or JetBrains Hub, and says what they are in and may do.
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
  - module: keyturn.hub.user_info
  - module: keyturn.hub.bots
options:
  login:
    description:
      - The login, which identifies the account.
    type: str
    required: true
  name:
    description:
      - The full name. Required to create an account.
    type: str
  type:
    description:
      - Whether this is a person or a bot, which has no password.
      - Decided when the account is created; a different value for an existing account is an error.
      - JetBrains Hub has no bots; leave it out there.
    type: str
    choices: [user, bot]
  banned:
    description:
      - Whether the account is banned. A banned account's tokens are refused.
    type: bool
  ban_reason:
    description:
      - Why the account is banned.
    type: str
  description:
    description:
      - What the account is for; an empty text takes it away. A Hub has no such thing.
    type: str
  email:
    description:
      - Its address for mail; an empty text takes it away.
    type: str
  owner:
    description:
      - Of a bot, the login or id of the account that answers for it; an empty text for nobody. A Hub has no such
        thing.
    type: str
  groups:
    description:
      - Exactly the groups that the account is directly in, each by name or id. Left out, all stays as it is.
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
      - V(present) makes the account exist as declared; options that are left out stay as they are.
      - V(absent) deletes it with all its tokens.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: The deployment bot exists, and may do what deployers may
  keyturn.hub.user:
    url: https://tokens.example.com
    token: "{{ keyturn_token }}"
    login: deploy-bot
    name: Deployment bot
    type: bot
    owner: jo
    groups: [Deployers]
    roles:
      - role: deployer
        service: ci

- name: A bot that misbehaves is stopped at once
  keyturn.hub.user:
    login: report-bot
    banned: true
    ban_reason: it filled the disk

- name: The old bot is gone, with all its tokens
  keyturn.hub.user:
    login: old-bot
    state: absent
"""

RETURN = r"""
user:
  description: The account as it is now, or as it would be in check mode.
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: The account's id; absent in check mode for an account that does not exist yet.
      type: str
    type:
      description: What kind of account it is.
      type: str
    login:
      description: The login.
      type: str
    name:
      description: The full name.
      type: str
    banned:
      description: Whether it is banned.
      type: bool
    banReason:
      description: Why it is banned.
      type: str
    description:
      description: What it is for. This and what follows only if the task has the option of the same name.
      type: str
    email:
      description: Its address for mail.
      type: str
    owner:
      description: The name of who answers for it.
      type: str
    groups:
      description: The names of the groups that it is directly in.
      type: list
      elements: str
    roles:
      description: Its roles, each as its key, or as key and service.
      type: list
      elements: str
      sample: [deployer at ci]
"""

from ansible_collections.keyturn.hub.plugins.module_utils import accounts
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(accounts.ARGUMENTS, accounts.ensure, accounts.FIELD_OPTIONS)


if __name__ == "__main__":
    main()
