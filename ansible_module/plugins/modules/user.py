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
  - Creates, changes and deletes accounts of Keyturn or JetBrains Hub.
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
  state:
    description:
      - V(present) makes the account exist as declared; options that are left out stay as they are.
      - V(absent) deletes it with all its tokens.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: The deployment bot exists
  keyturn.hub.user:
    url: https://tokens.example.com
    token: "{{ keyturn_token }}"
    login: deploy-bot
    name: Deployment bot
    type: bot

- name: Nobody uses the old bot any more
  keyturn.hub.user:
    login: old-bot
    banned: true
    ban_reason: Replaced by deploy-bot

- name: The old bot is gone
  keyturn.hub.user:
    login: old-bot
    state: absent
"""

RETURN = r"""
user:
  description: The account as it is now, or as it would be in check mode.
  returned: state is V(present)
  type: dict
  contains:
    id:
      description: The account's id; absent in check mode for an account that does not exist yet.
      type: str
    login:
      description: The login.
      type: str
    name:
      description: The full name.
      type: str
    type:
      description: V(user) or V(bot).
      type: str
    banned:
      description: Whether the account is banned.
      type: bool
    banReason:
      description: Why the account is banned.
      type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, changes, difference
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

FIELDS = "id,type,login,name,banned,banReason"
ARGUMENTS = {
    "login": {"type": "str", "required": True},
    "name": {"type": "str"},
    "type": {"type": "str", "choices": ["user", "bot"]},
    "banned": {"type": "bool"},
    "ban_reason": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(client, parameters, check_mode):
    """Make the account as declared; the module's result."""
    existing = client.get("users", parameters["login"], fields=FIELDS)
    if parameters["state"] == "absent":
        return _ensure_absent(client, existing, check_mode)
    wanted = {
        "name": parameters["name"],
        "banned": parameters["banned"],
        "banReason": parameters["ban_reason"],
    }
    if existing is None:
        return _create(client, parameters, wanted, check_mode)
    if parameters["type"] not in (None, existing.get("type")):
        raise RequestRefused(
            0, "{} is a {}, and no account can change its type.".format(existing["login"], existing["type"]), "type"
        )
    changed = changes(wanted, existing)
    after = dict(existing, **changed)
    if changed and not check_mode:
        after = client.post(changed, "users", existing["id"], fields=FIELDS)
    return {"changed": bool(changed), "user": after, "diff": difference(existing, after)}


def _create(client, parameters, wanted, check_mode):
    if not wanted["name"]:
        raise RequestRefused(0, f"is required to create the account {parameters['login']}.", "name")
    body = {"login": parameters["login"], "name": wanted["name"]}
    if parameters["type"]:
        body["type"] = parameters["type"]
    ban = changes({"banned": wanted["banned"], "banReason": wanted["banReason"]}, {"banned": False})
    after = dict({"type": "user", "banned": False, "banReason": None}, **dict(body, **ban))
    if not check_mode:
        after = client.post(body, "users", fields=FIELDS)
        if ban:
            after = client.post(ban, "users", after["id"], fields=FIELDS)
    return {"changed": True, "user": after, "diff": difference(ABSENT, after)}


def _ensure_absent(client, existing, check_mode):
    if existing and not check_mode:
        client.delete("users", existing["id"])
    return {"changed": existing is not None, "diff": difference(existing or ABSENT, ABSENT)}


def main():
    run(
        ARGUMENTS,
        ensure,
        {"login": "login", "name": "name", "type": "type", "banned": "banned", "banReason": "ban_reason"},
    )


if __name__ == "__main__":
    main()
