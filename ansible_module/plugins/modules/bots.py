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
  - keyturn.hub.token.bots
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
