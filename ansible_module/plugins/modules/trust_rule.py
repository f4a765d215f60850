#!/usr/bin/python
# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: trust_rule
short_description: Declare whose identity tokens a bot's pipelines may trade
version_added: 0.1.0
description:
  - Creates, changes and deletes trust rules, by which a pipeline trades the identity token of its platform for an
    access token, and needs no secret.
  - A rule that differs is changed in place. One that the server refuses leaves the rule as it was.
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
  - module: keyturn.hub.trust_rule_info
options:
  user:
    description:
      - The login of the bot.
    type: str
    required: true
  name:
    description:
      - The rule's name, which identifies it among those of the bot.
    type: str
    required: true
  issuer:
    description:
      - Who issues the tokens, as their claim C(iss) has it.
    type: str
  audience:
    description:
      - For whom they have to be issued, as their claim C(aud) has it.
    type: str
  conditions:
    description:
      - What other claims have to be, each a pattern or a list of patterns, in which C(*) stands for any characters.
    type: dict
  scope:
    description:
      - The services that the access token is good for, each by key, id or name.
    type: list
    elements: str
  keys:
    description:
      - The issuer's public keys, each a JSON Web Key, for an issuer whose keys the server cannot fetch, such as most
        Kubernetes clusters. The issuer is then never asked, so a new key is added here before it is used.
      - An empty list lets the server fetch them. If not given, what the rule has stays.
    type: list
    elements: dict
  lasting:
    description:
      - Whether what its access tokens make at Keyturn itself may go on after they have ended, such as tokens without an
        end. It has to, where a play that acts by O(identity) gives bots their tokens.
      - If not given, what the rule has stays; a new rule is not lasting.
    type: bool
  state:
    description:
      - V(present) makes the rule exist as declared.
      - V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Deployments of the main branch act as the deployment bot
  keyturn.hub.trust_rule:
    user: deploy-bot
    name: GitHub
    issuer: https://token.actions.githubusercontent.com
    audience: https://tokens.example.com
    conditions:
      repository: example/shop
      ref: refs/heads/main
    scope: [ci]
"""

RETURN = r"""
trust_rule:
  description:
    - The rule as it is now, or as it would be in check mode.
    - Where the issuer's public keys were given by hand, they are in a member C(keys). Say C(rule['keys']).
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      sample: z9nrlNKKojgb
    name:
      description: Its name.
      type: str
      sample: GitHub
    issuer:
      description: Who signs the tokens that it admits.
      type: str
      sample: https://token.actions.githubusercontent.com
    audience:
      description: For whom they have to be.
      type: str
    conditions:
      description: "What their claims have to be: for each claim, its values."
      type: dict
      sample: {"repository": ["acme/shop"]}
    lasting:
      description: Whether what its access tokens make at Keyturn may outlive them.
      type: bool
    scope:
      description: The services that it is good for.
      type: list
      elements: dict
      contains:
        id:
          description: Its id.
          type: str
        key:
          description: Its key.
          type: str
          sample: ci
        name:
          description: Its name.
          type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils import trust_rules
from ansible_collections.keyturn.hub.plugins.module_utils.running import run


def main():
    run(
        trust_rules.ARGUMENTS,
        trust_rules.ensure,
        required_if=[("state", "present", ("issuer", "audience", "conditions", "scope"))],
    )


if __name__ == "__main__":
    main()
