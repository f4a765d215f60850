# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Application passwords: what an account with two-factor authentication gives to clients that know none."""

from __future__ import annotations

import secrets

from ansible_collections.keyturn.hub.plugins.module_utils.client import KEY, RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, outcome
from ansible_collections.keyturn.hub.plugins.module_utils.lost_secrets import with_remedy
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept, same

ARGUMENTS = {
    "user": {"type": "str", "default": "me"},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
FIELDS = "id,name"
ATTEMPTS = 3  # to make one whose secret arrives
REMOVE_IT = "remove it with state=absent, and run this task again."


def ensure(client, parameters, check_mode):
    """Make the application password exist, or not; the module's result."""
    name = kept(parameters["name"])
    owner = client.get("users", kept(parameters["user"]), fields="id")
    if owner is None and parameters["state"] == "present":
        raise RequestRefused(404, "there is no account {}.".format(parameters["user"]), "user")
    existing = _find(client, owner, name)
    if parameters["state"] == "absent":
        act = client.acting(check_mode) if existing else None
        if act:
            act.delete("users", owner["id"], "applicationpasswords", existing["id"])
        return outcome("application_password", existing or ABSENT, ABSENT)
    if existing:
        return outcome("application_password", existing, existing)
    after, more = {"name": name}, {}
    path = ("users", owner["id"], "applicationpasswords")
    act = client.acting(check_mode)
    if act and check_mode:
        act.create({"name": name}, *path)
    elif act:
        try:
            made = made_with_secret(
                client, lambda: _find(client, owner, name), {"name": name}, path, FIELDS, "password"
            )
        except RequestRefused as refusal:
            raise with_remedy(refusal, client, f"the application password {name}", REMOVE_IT) from None
        more["secret"] = made.pop("password")
        after = made
    return outcome("application_password", ABSENT, after, **more)


def made_with_secret(client, find, body, path, fields, secret):
    """What is made, with its `secret`, which only this answer holds: what an answer that was lost has left behind goes.

    Keyturn says by the key of the request which thing that is, so one of the same name that somebody else was given
    meanwhile stays. A Hub knows no such keys: of what is there, it is what `find()` finds.
    """
    for _attempt in range(ATTEMPTS):
        key, asked = secrets.token_urlsafe(24), f"{fields},{secret}"
        try:
            made = client.create(body, *path, key=key, fields=asked)
        except RequestRefused as refusal:
            if not refusal.unknown:
                raise
            if not client.describes(KEY):
                return _made_by_a_hub(client, find, body, path, asked)
            made = client.create(body, *path, key=key, repeat=True, fields=asked)
        if made.get(secret) or made["id"] is None:
            return made
        client.delete(*path, made["id"])
    raise RequestRefused(0, "the answers that held the secret were lost.", unknown=True)


def _made_by_a_hub(client, find, body, path, asked):
    def without():
        left = find()
        if left:
            client.delete(*path, left["id"])

    without()
    return client.made(without, body, *path, fields=asked)


def _find(client, owner, name):
    if owner is None:
        return None
    known = client.get_all("applicationpasswords", "users", owner["id"], "applicationpasswords", fields=FIELDS)
    return next((each for each in known if same(each["name"], name)), None)
