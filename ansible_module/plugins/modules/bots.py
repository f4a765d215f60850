#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bots
short_description: Declare many bots with their tokens at once
version_added: 0.1.0
description:
  - Reads, plans and applies the desired state of bots, their groups, roles and permanent tokens, in parallel over
    connections that are kept open.
  - Nothing is changed unless all of it can be planned. What was begun and failed is finished by the next run.
  - Secrets that are made are in the result, which is then never printed, whatever the verbosity. A run that fails
    returns none, and the next one renews those tokens.
  - Keyturn alone can be spoken to.
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
    details: Shows the plan, also where the result itself is hidden because it holds secrets.
seealso:
  - module: keyturn.hub.permanent_token
  - module: keyturn.hub.user
options:
  bots:
    description:
      - The bots as they are to be. Options that are left out stay as they are.
    type: list
    elements: dict
    suboptions:
      login:
        description:
          - The login, which identifies the bot.
        type: str
        required: true
      name:
        description:
          - The full name. Required to create an account.
        type: str
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
          - Of a bot, the login or id of the account that answers for it; an empty text for nobody. A Hub has no
            such thing.
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
      tokens:
        description:
          - The permanent tokens that the bot is to hold.
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - The token's name, which identifies it among the tokens of the account.
            type: str
            required: true
          scope:
            description:
              - The services that the token is good for, each by its key, its id, or its name. Order does not
                matter.
              - Required to create a token.
            type: list
            elements: str
          description:
            description:
              - What the token is for; an empty text takes it away. What is left out stays as it is, here and below.
              - This and all that follows but O(bots[].tokens[].state) is Keyturn's; JetBrains Hub has nothing of
                the kind.
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
              - The networks (CIDR) from which alone the token may be used; an empty list lets it be used from
                everywhere.
            type: list
            elements: str
          expires_on:
            description:
              - When the token ends, with all its secrets, such as V(2027-01-31) or V(2027-01-31T12:00:00Z);
                V(never) for no end.
            type: str
          lifetime:
            description:
              - How long the token lives from when its current secret was made, such as V(90d). Each new secret
                moves its end.
            type: str
          grace:
            description:
              - How long the secret before goes on after a rotation, such as V(36h), V(7d), V(P7D) or seconds. With
                V(0), all earlier ones end at once.
              - If not given, a day.
            type: str
          rotate_before:
            description:
              - Give the token a new secret when it would end within this time, whether by
                O(bots[].tokens[].lifetime) or by a policy.
            type: str
          max_age:
            description:
              - Give the token a new secret when the current one is older than this.
            type: str
          rotate_when:
            description:
              - Anything that the secret depends on, such as who is in a team. When it changes, the token gets a new
                secret.
              - A part of its hash is kept in a label of the token. Declared for the first time, it is only noted. The
                order of lists does not matter.
            type: raw
          secret:
            description:
              - The secret that the token is to be made of, such as from a vault, instead of one that the server
                makes.
              - 43 characters of A-Z, a-z and 0-9, chosen at random (P(keyturn.hub.new_secret#lookup) makes one).
                The same value gives another token on each server; the result of every run has the whole token.
              - A different value rotates the token, with O(bots[].tokens[].grace). One that was the token's before
                is refused.
            type: str
          state:
            description:
              - V(present) makes the token exist as declared. It gets a new secret only where the options say so, or
                where an earlier run died before it could hand over the one that it made, or a policy has ended it. In
                the place of one that has ended by itself, another one is made, unless the end that is
                declared has come too.
              - V(absent) deletes it; it is refused from then on.
              - V(rotated) also gives it a new secret, at every run.
            type: str
            choices: [present, absent, rotated]
            default: present
  src:
    description:
      - A YAML file on the controller with the list of bots, or with one under the key C(bots), instead of O(bots).
        It may be encrypted by ansible-vault.
      - Templates in it are not evaluated.
    type: path
  boundary:
    description:
      - What this task is about; what is declared is put inside of it.
    type: dict
    suboptions:
      owner:
        description:
          - The account that all bots belong to, by login or id.
        type: str
      label:
        description:
          - The label that all tokens have, besides others.
        type: str
  purge:
    description:
      - Whether to remove what is inside the boundary and not declared. Of an owner, that is their other bots, and
        the other tokens of those declared; of a label, the other tokens with it, of whatever account.
      - A bot that says nothing of tokens keeps those that it has.
      - Nothing is removed unless all else went well, and never the account or token that acts.
      - Needs O(max_removals).
    type: bool
    default: false
  max_removals:
    description:
      - How many bots and tokens O(purge) may remove in one run, such as V(5), or V(10%) of those inside the boundary.
        If more would go, nothing is changed. The tokens of a bot that goes are not counted besides.
    type: str
  allow_empty:
    description:
      - Whether O(purge) is meant although O(bots) is empty, so that all that is inside the boundary goes.
    type: bool
    default: false
  parallel:
    description:
      - How many requests to have under way at the same time. Changes of accounts and tokens that wait for one travel
        together, if the server takes them so; each is done or refused by itself.
    type: int
    default: 8
"""

EXAMPLES = r"""
- name: These are our bots, and there are no others
  keyturn.hub.bots:
    boundary:
      owner: platform-team
    purge: true
    max_removals: 10%
    bots:
      - login: deploy-bot
        name: Deployment bot
        groups: [Deployers]
        tokens:
          - name: nightly
            scope: [ci]
            max_age: 30d
      - login: report-bot
        name: Report bot
        tokens:
          - name: weekly
            scope: [ci]
  register: ours

- name: New secrets go where they are used
  ansible.builtin.copy:
    content: "{{ item.secret }}"
    dest: "/etc/bots/{{ item.user }}--{{ item.name }}"
    mode: "0600"
  loop: "{{ ours.tokens }}"
  loop_control:
    label: "{{ item.user }}: {{ item.name }}"
  no_log: true
"""

RETURN = r"""
plan:
  description: What was, or would be, made, changed and removed, a line for each. C(--diff) shows it.
  returned: success
  type: list
  elements: str
  sample: ["+ bot deploy-bot: groups [Deployers]; name Deployment bot", "+   token nightly: scope [ci]"]
bots:
  description: The declared bots.
  returned: success
  type: list
  elements: dict
  contains:
    login:
      description: The login.
      type: str
    id:
      description: The account's id; null in check mode for one that does not exist yet.
      type: str
    changed:
      description: Whether anything of it was changed.
      type: bool
tokens:
  description: The tokens whose secrets this run made, or that are declared with their secrets.
  returned: success
  type: list
  elements: dict
  contains:
    user:
      description: The login of the bot.
      type: str
    name:
      description: The token's name.
      type: str
    secret:
      description: The token itself.
      type: str
failures:
  description: What could not be done, in words.
  returned: failure
  type: list
  elements: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import bots
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(
        bots.ARGUMENTS,
        bots.ensure,
        kept_alive=True,
        mutually_exclusive=[("bots", "src")],
        required_one_of=[("bots", "src")],
    )


if __name__ == "__main__":
    main()
