# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Webhooks: who is told what happens to permanent tokens, and by which secret they know that it is true."""

from __future__ import annotations

import base64
import secrets

from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (
    ABSENT,
    changes,
    declared,
    outcome,
    predicted,
    unordered,
)
from ansible_collections.keyturn.hub.plugins.module_utils.durations import seconds
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept

EVENTS = [
    f"permanent-token.{what}"
    for what in (
        "created",
        "updated",
        "rotated",
        "rotation-taken-back",
        "expiring",
        "expired",
        "rotation-due",
        "unused",
        "reused",
        "leaked",
        "revoked",
    )
]
ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str"},
    "events": {"type": "list", "elements": "str", "choices": EVENTS},
    "secret": {"type": "str", "no_log": True},
    "secret_grace": {"type": "str", "no_log": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
RULES = {"required_by": {"secret_grace": "secret"}}
FIELD_OPTIONS = {"url": "address", "kinds": "events", "grace": "secret_grace"}
FIELDS = "id,name,url,kinds"
DEFAULT_GRACE = "1d"
SECRET_BYTES = 32
SECRET = "secret"  # in a diff: what becomes of it


def new_secret():
    """A secret as Standard Webhooks has it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def ensure(client, parameters, check_mode):
    """Make the webhook as declared; the module's result."""
    existing = _find(client, kept(parameters["name"]))
    if parameters["state"] == "absent":
        if existing and not check_mode:
            client.delete("webhooks", existing["id"])
        return outcome("webhook", existing or ABSENT, ABSENT)
    wanted = declared(parameters, "name", address="url")
    if parameters["events"] is not None:
        wanted["kinds"] = unordered(parameters["events"], (existing or {}).get("kinds"))
    if existing is None:
        return _create(client, parameters, wanted, check_mode)
    return _change(client, parameters, existing, changes(wanted, existing), check_mode)


def _create(client, parameters, wanted, check_mode):
    if not wanted.get("url"):
        raise RequestRefused(0, "is required to create the webhook {}.".format(wanted["name"]), "address")
    after = predicted({"kinds": []}, wanted)
    result = outcome("webhook", ABSENT, after)
    if not check_mode:
        # It is made here, so that an answer that was lost costs nothing.
        secret = new_secret() if parameters["secret"] is None else parameters["secret"]
        body = dict(wanted, secret=secret)
        after["id"] = client.made(lambda: _find(client, wanted["name"]), body, "webhooks", fields="id")["id"]
        if not _has(client, after["id"], secret):  # somebody else was faster
            _renew(client, after["id"], secret, 0)
        if parameters["secret"] is None:
            result["secret"] = secret
    return result


def _change(client, parameters, existing, changed, check_mode):
    after, secret, grace = predicted(existing, changed), parameters["secret"], _grace(parameters)
    renewed = secret is not None and not _has(client, existing["id"], secret)
    result = outcome("webhook", existing, after, bool(changed) or renewed)
    if renewed:
        result["diff"] = {
            "before": dict(existing, **{SECRET: "as it is"}),
            "after": dict(after, **{SECRET: "renewed: another one was declared"}),
        }
    if not check_mode:
        if changed:
            client.set(changed, "webhooks", existing["id"], fields="id")
        if renewed:
            _renew(client, existing["id"], secret, grace)
    return result


def _grace(parameters):
    return seconds(dict(parameters, secret_grace=parameters["secret_grace"] or DEFAULT_GRACE), "secret_grace")


def _has(client, id, secret):
    return client.set({"secret": secret}, "webhooks", id, "secret", "comparison", fields="current")["current"]


def _renew(client, id, secret, grace):
    """Which may be said twice, since the secret is ours."""
    client.set({"secret": secret, "grace": grace}, "webhooks", id, "secret", fields="id")


def _find(client, name):
    found = [each for each in client.get_all("webhooks", "webhooks", fields=FIELDS) if each["name"] == name]
    if len(found) > 1:
        raise RequestRefused(0, f"{name} names more than one webhook. Rename or delete the others.", "name")
    return found[0] if found else None
