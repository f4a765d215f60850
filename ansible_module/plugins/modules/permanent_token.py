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
  - Creates, re-scopes and deletes permanent tokens of Keyturn or JetBrains Hub.
  - The secret of a token exists only in the result of the run that creates it. That result is never
    printed, whatever the verbosity; register it and hand the secret over in the same play.
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
  - In check mode, an account that does not exist yet is taken for one that an earlier task of the play creates.
  - JetBrains Hub cannot change the scope of an existing token. Keyturn can.
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
      - The services that the token is good for, each by its key, its id, or its name.
      - Required with O(state=present). Order does not matter.
    type: list
    elements: str
  description:
    description:
      - What the token is for; an empty text takes it away. What is left out stays as it is, here and below.
      - This and the next three options are Keyturn's; JetBrains Hub has nothing of the kind.
    type: str
  contact:
    description:
      - Whom to ask about the token, such as a person, a team or a channel.
    type: str
  labels:
    description:
      - By what the token is found, such as V(nightly) or V(team=payments). Order does not matter.
    type: list
    elements: str
  networks:
    description:
      - The networks (CIDR) from which alone the token may be used; an empty list lets it be used from everywhere.
    type: list
    elements: str
  state:
    description:
      - V(present) makes the token exist with this scope.
      - V(absent) deletes it; it is refused from then on.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: The deployment bot holds a token for the build server
  keyturn.hub.permanent_token:
    url: https://tokens.example.com
    token: "{{ keyturn_token }}"
    user: deploy-bot
    name: nightly deployment
    scope: [ci]
    contact: "#deployment"
    labels: [nightly]
  register: nightly

- name: A new secret goes where it is used
  ansible.builtin.copy:
    content: "{{ nightly.secret }}"
    dest: /etc/deploy/keyturn-token
    mode: "0600"
  no_log: true
  when: nightly.secret is defined

- name: The old token is gone
  keyturn.hub.permanent_token:
    user: deploy-bot
    name: deployment before 2026
    state: absent
"""

RETURN = r"""
permanent_token:
  description: The token as it is now, or as it would be in check mode, without its secret.
  returned: state is V(present)
  type: dict
  contains:
    id:
      description: The token's id; absent in check mode for a token that does not exist yet.
      type: str
    name:
      description: The token's name.
      type: str
    scope:
      description: The services, each with RV(ignore:id), RV(ignore:key) and RV(ignore:name).
      type: list
      elements: dict
    description:
      description: What it is for. This and the next three only if the task has the option of the same name.
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
secret:
  description:
    - The token itself. The whole result is hidden from the output, and available to later tasks.
  returned: only when this run created the token
  type: str
"""

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (
    ABSENT,
    about,
    difference,
    is_named,
    same_services,
    same_value,
)
from ansible_collections.keyturn.hub.plugins.module_utils.running import run

FIELDS = "id,name,scope(id,key,name)"
ARGUMENTS = {
    "user": {"type": "str", "required": True},
    "name": {"type": "str", "required": True, "no_log": False},
    "scope": {"type": "list", "elements": "str"},
    "description": {"type": "str"},
    "contact": {"type": "str"},
    "labels": {"type": "list", "elements": "str"},
    "networks": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


def ensure(client, parameters, check_mode):
    """Make the token as declared; the module's result."""
    owner = client.get("users", parameters["user"], fields="id")
    wanted = about(parameters)
    fields = ",".join([FIELDS, *wanted])  # a Hub knows no more, and is asked for no more
    existing = _find(client, owner, parameters["name"], fields)
    if parameters["state"] == "absent":
        return _ensure_absent(client, owner, existing, check_mode)
    if owner is None and not check_mode:
        raise RequestRefused(404, f"there is no account {parameters['user']}.", "user")
    if existing is None:
        return _create(client, owner, parameters, wanted, fields, check_mode)
    body = {name: value for name, value in wanted.items() if not same_value(value, existing.get(name))}
    after = dict(existing, **{name: value or (None if value == "" else value) for name, value in body.items()})
    if not same_services(parameters["scope"], existing["scope"]):
        after["scope"] = _services(client, parameters["scope"])
        body["scope"] = [{"id": service["id"]} for service in after["scope"]]
    if not body:
        return {"changed": False, "permanent_token": existing, "diff": difference(existing, existing)}
    if not check_mode:
        after = client.post(body, "users", owner["id"], "permanenttokens", existing["id"], fields=fields)
    return {"changed": True, "permanent_token": after, "diff": difference(existing, after)}


def _find(client, owner, name, fields):
    if owner is None:
        return None
    tokens = client.get_all("permanenttokens", "users", owner["id"], "permanenttokens", fields=fields)
    named = [token for token in tokens if token["name"] == name]
    if len(named) > 1:
        raise RequestRefused(0, f"the account has {len(named)} tokens of this name; delete all but one.", "name")
    return named[0] if named else None


def _create(client, owner, parameters, wanted, fields, check_mode):
    services = _services(client, parameters["scope"])
    said = {name: None if value == "" else value for name, value in wanted.items()}
    after = dict(said, name=parameters["name"], scope=services)
    result = {}
    if not check_mode:
        body = dict(wanted, name=parameters["name"], scope=[{"id": service["id"]} for service in services])
        after = client.post(body, "users", owner["id"], "permanenttokens", fields=fields + ",token")
        result["secret"] = after.pop("token")
    return dict(result, changed=True, permanent_token=after, diff=difference(ABSENT, after))


def _ensure_absent(client, owner, existing, check_mode):
    if existing and not check_mode:
        client.delete("users", owner["id"], "permanenttokens", existing["id"])
    return {"changed": existing is not None, "diff": difference(existing or ABSENT, ABSENT)}


def _services(client, names):
    known = client.get_all("services", "services", fields="id,key,name")
    services = []
    for name in names:
        found = [service for service in known if is_named(service, name)]
        if not found:
            raise RequestRefused(404, f"there is no service {name} that this account may see.", "scope")
        if len(found) > 1:
            raise RequestRefused(0, f"{name} names more than one service; give an id.", "scope")
        if found[0] not in services:
            services.append(found[0])
    return services


def main():
    run(
        ARGUMENTS,
        ensure,
        {name: name for name in ("user", "name", "scope", "description", "contact", "labels", "networks")},
        required_if=[("state", "present", ("scope",))],
    )


if __name__ == "__main__":
    main()
