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
  name:
    description:
      - The token's name, which identifies it among the tokens of the account.
    type: str
    required: true
  scope:
    description:
      - The services that the token is good for, each by its key, its id, or its name. Order does not matter.
      - Required to create a token.
    type: list
    elements: str
  description:
    description:
      - What the token is for; an empty text takes it away. What is left out stays as it is, here and below.
      - This and all that follows but O(state) is Keyturn's; JetBrains Hub has nothing of the kind.
    type: str
  contact:
    description:
      - Whom to ask about the token, such as a person, a team or a channel.
    type: str
  labels:
    description:
      - By what the token is found, such as V(nightly) or V(team=payments). Order does not matter.
      - Labels that begin with C(keyturn.hub/) are the collection's own, and are left alone.
    type: list
    elements: str
  networks:
    description:
      - The networks (CIDR) from which alone the token may be used; an empty list lets it be used from everywhere.
    type: list
    elements: str
  expires_on:
    description:
      - When the token ends, with all its secrets, such as V(2027-01-31) or V(2027-01-31T12:00:00Z); V(never) for no
        end.
      - An end is final. A token that has ended is made anew, with another secret, unless the end that is declared
        has come too. It keeps all but its end where the task says nothing else.
    type: str
  lifetime:
    description:
      - How long the token lives from when its current secret was made, such as V(90d). Each new secret moves its
        end.
    type: str
  grace:
    description:
      - How long the secret before goes on after a rotation, such as V(36h), V(7d), V(P7D) or seconds. With V(0),
        all
        earlier ones end at once.
      - If not given, a day.
    type: str
  rotate_before:
    description:
      - Give the token a new secret when it would end within this time, whether by O(lifetime) or by a policy.
    type: str
  max_age:
    description:
      - Give the token a new secret when the current one is older than this.
    type: str
  rotate_when:
    description:
      - Anything that the secret depends on, such as who is in a team. When it changes, the token gets a new secret.
      - A part of its hash is kept in a label of the token. Declared for the first time, it is only noted. The order of
        lists does not matter.
    type: raw
  secret:
    description:
      - The secret that the token is to be made of, such as from a vault, instead of one that the module makes.
      - 43 characters of A-Z, a-z and 0-9, chosen at random (P(keyturn.hub.new_secret#lookup) makes one). The same
        value gives another token on each server; the result of every run has the whole token.
      - A different value rotates the token, with O(grace). One that was the token's before is refused.
    type: str
  state:
    description:
      - V(present) makes the token exist as declared. It gets a new secret only where the options say so, or where an
        earlier run died before it could hand over the one that it made, or a policy has ended it. In the place of one
        that has ended by itself, another one is made, unless the end that is declared has come too.
      - V(absent) deletes it; it is refused from then on.
      - V(rotated) also gives it a new secret, at every run.
    type: str
    choices: [present, absent, rotated]
    default: present
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
  description: The token as it is now, or as it would be in check mode, without its secret.
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
    description:
      description: What it is for. This and what follows only if the task has the option of the same name.
      type: str
    contact:
      description: Whom to ask about it.
      type: str
    labels:
      description: By what it is found.
      type: list
      elements: str
    networks:
      description: From where alone it may be used.
      type: list
      elements: str
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
