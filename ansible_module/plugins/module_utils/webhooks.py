# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Webhooks: where events of permanent tokens are sent, and by which secret they know that it is true."""

from __future__ import annotations

import base64
import secrets

from ansible_collections.keyturn.hub.plugins.module_utils import names
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (
    ABSENT,
    changes,
    declared,
    outcome,
    predicted,
    unordered,
)
from ansible_collections.keyturn.hub.plugins.module_utils.durations import seconds
from ansible_collections.keyturn.hub.plugins.module_utils.lost_secrets import with_remedy
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept, same
from ansible_collections.keyturn.hub.plugins.module_utils.refusals import RequestRefused, outrun

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
] + ["service.secret-renewed", "service.secret-renewal-taken-back"]
ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "address": {"type": "str"},
    "events": {"type": "list", "elements": "str", "choices": EVENTS},
    "secret": {"type": "str", "no_log": True},
    "grace": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
FIELD_OPTIONS = {"url": "address", "kinds": "events"}
FIELDS = "id,name,url,kinds"
DEFAULT_GRACE = "1d"
SECRET_BYTES = 32
REMOVE_IT = "declare one, or remove the webhook with state=absent, and run this task again."
SECRET = "secret"  # in a diff: what becomes of it


def new_secret():
    """A secret as Standard Webhooks has it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def ensure(client, parameters, check_mode):
    """Make the webhook as declared; the module's result."""
    existing = _find(client, parameters["name"])
    if parameters["state"] == "absent":
        act = client.acting(check_mode) if existing else None
        if act:
            act.delete("webhooks", existing["id"])
        return outcome("webhook", existing or ABSENT, ABSENT)
    wanted = declared(parameters, address="url")
    if parameters["events"] is not None:
        wanted["kinds"] = unordered(parameters["events"], (existing or {}).get("kinds"))
    secret = parameters["secret"].strip() if parameters["secret"] is not None else None
    grace = seconds(dict(parameters, grace=parameters["grace"] or DEFAULT_GRACE), "grace")
    if existing is None:
        return _create(client, secret, dict(wanted, name=kept(parameters["name"])), check_mode)
    return _change(client, secret, grace, existing, changes(wanted, existing), check_mode)


def _create(client, secret, wanted, check_mode):
    if not wanted.get("url"):
        raise RequestRefused(0, "is required to create the webhook {}.".format(wanted["name"]), "address")
    after = predicted({"kinds": []}, wanted)
    result = outcome("webhook", ABSENT, after)
    act = client.acting(check_mode)
    if not act:
        return result
    # It is made here, so that an answer that was lost costs nothing.
    brought = new_secret() if secret is None else secret

    def find():
        there = _named(client, wanted["name"])
        ours = [each for each in there if _has(client, each["id"], brought)]
        if there and not ours:
            raise outrun("somebody else made a webhook {} meanwhile.".format(wanted["name"]), "name")
        return ours[0] if ours else None

    try:
        made = act.made(find, dict(wanted, secret=brought), "webhooks", ours=True, fields="id")
    except RequestRefused as refusal:
        thing = "the webhook {}".format(wanted["name"])
        raise refusal if secret is not None else with_remedy(refusal, client, thing, REMOVE_IT) from None
    if check_mode:
        return result
    after["id"] = made["id"]
    return result if secret is not None else dict(result, secret=brought)


def _change(client, secret, grace, existing, changed, check_mode):
    after = predicted(existing, changed)
    renewed = secret is not None and not _has(client, existing["id"], secret)
    result = outcome("webhook", existing, after, bool(changed) or renewed)
    if renewed:
        result["diff"] = {
            "before": dict(existing, **{SECRET: "as it is"}),
            "after": dict(after, **{SECRET: "renewed: another one was declared"}),
        }
    act = client.acting(check_mode) if result["changed"] else None
    if act and changed:
        act.set(changed, "webhooks", existing["id"], fields="id")
    if act and renewed:  # which may be said twice, since the secret is ours
        act.set({"secret": secret, "grace": grace}, "webhooks", existing["id"], "secret", fields="id")
    return result


def _has(client, id, secret):
    return client.set({"secret": secret}, "webhooks", id, "secret", "comparison", fields="current")["current"]


def _find(client, name):
    found = _named(client, name)
    if len(found) > 1:
        raise RequestRefused(0, f"{name} names more than one webhook. Rename or delete the others.", "name")
    return found[0] if found else None


def _named(client, name):
    """Those of this name. Older servers let several have it, also such that differ in case."""
    known = client.get_all("webhooks", "webhooks", fields=FIELDS)
    return [each for each in known if same(each["name"], name)] or [
        each for each in known if names.webhook(each["name"]) == names.webhook(name)
    ]
