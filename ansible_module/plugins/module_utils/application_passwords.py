# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Application passwords: what an account with two-factor authentication gives to clients that know none."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, outcome
from ansible_collections.keyturn.hub.plugins.module_utils.lost_secrets import with_remedy
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept, same

ARGUMENTS = {
    "user": {"type": "str", "default": "me"},
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
FIELDS = "id,name"
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
                client, lambda: _find(client, owner, name), {"name": name}, path, FIELDS + ",password"
            )
        except RequestRefused as refusal:
            raise with_remedy(refusal, client, f"the application password {name}", REMOVE_IT) from None
        more["secret"] = made.pop("password")
        after = made
    return outcome("application_password", ABSENT, after, **more)


def made_with_secret(client, find, body, path, fields):
    """What is made, with the secret that only this answer holds: what an answer that was lost has left behind goes."""

    def without():
        left = find()
        if left:
            client.delete(*path, left["id"])

    return client.made(without, body, *path, fields=fields)


def _find(client, owner, name):
    if owner is None:
        return None
    known = client.get_all("applicationpasswords", "users", owner["id"], "applicationpasswords", fields=FIELDS)
    return next((each for each in known if same(each["name"], name)), None)
