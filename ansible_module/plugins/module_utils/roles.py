# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Roles: named bundles of permissions."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (
    ABSENT,
    changes,
    declared,
    outcome,
    predicted,
)
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept

ARGUMENTS = {
    "key": {"type": "str", "required": True, "no_log": False},
    "name": {"type": "str"},
    "permissions": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
FIELDS = "id,key,name,permissions(id)"


def ensure(client, parameters, check_mode):
    """Make the role as declared; the module's result."""
    key = kept(parameters["key"])
    existing = client.get("roles", key, fields=FIELDS)
    if parameters["state"] == "absent":
        act = client.acting(check_mode) if existing else None
        if act:
            act.delete("roles", existing["id"])
        return outcome("role", view(existing) if existing else ABSENT, ABSENT)
    wanted = declared(parameters, "name")
    if parameters["permissions"] is not None:
        wanted["permissions"] = sorted(set(parameters["permissions"]))
    if existing is None:
        return _create(client, key, wanted, check_mode)
    before = view(existing)
    changed = changes(wanted, before)
    after = predicted(before, changed)
    act = client.acting(check_mode) if changed else None
    if act:
        act.set(_body(changed), "roles", existing["id"], fields="id")
    return outcome("role", before, after)


def view(role):
    """A role as tasks see it."""
    return dict(role, permissions=sorted(permission["id"] for permission in role["permissions"]))


def _create(client, key, wanted, check_mode):
    for option in ("name", "permissions"):
        if not wanted.get(option):
            raise RequestRefused(0, f"is required to create the role {key}.", option)
    after = dict(wanted, key=key)
    act = client.acting(check_mode)
    if act:

        def find():
            return client.get("roles", key, fields="id")

        made = act.made(find, dict(_body(wanted), key=key), "roles", fields="id")
        after = after if check_mode else dict(after, id=made["id"])
    return outcome("role", ABSENT, after)


def _body(changed):
    body = dict(changed)
    if "permissions" in changed:
        body["permissions"] = [{"id": permission} for permission in changed["permissions"]]
    return body
