# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a permanent token, for the module of one token and for that of many bots with theirs."""

from __future__ import annotations

import re
import textwrap

# A fragment takes the place of all suboptions, so those of an account are here too.
BOTS_BEFORE_TOKENS = r"""
options:
  bots:
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
"""


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
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
      - How long the secret before goes on after a rotation, such as V(36h), V(7d), V(P7D) or seconds. With V(0), all
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
      - The secret that the token is to be made of, such as from a vault, instead of one that is made here.
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


def _inside_bots(documentation):
    options = documentation.partition("options:\n")[2]
    named = re.sub(r"O\((\w+(?:=\w+)?)\)", r"O(bots[].tokens[].\1)", options)
    return BOTS_BEFORE_TOKENS + textwrap.indent(named, " " * 8)


ModuleDocFragment.BOTS = _inside_bots(ModuleDocFragment.DOCUMENTATION)
