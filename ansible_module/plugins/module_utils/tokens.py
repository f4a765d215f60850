# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Permanent tokens: what a task may say of one, and what is done about it."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils import token_rules as rules
from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, outcome
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept
from ansible_collections.keyturn.hub.plugins.module_utils.token_details import DETAILS
from ansible_collections.keyturn.hub.plugins.module_utils.token_reading import fields, find, view
from ansible_collections.keyturn.hub.plugins.module_utils.token_work import Work, moment

OPTIONS = {
    "name": {"type": "str", "required": True, "no_log": False},
    "scope": {"type": "list", "elements": "str"},
    **DETAILS,
    "expires_on": {"type": "str"},
    "lifetime": {"type": "str"},
    "grace": {"type": "str"},
    "rotate_before": {"type": "str"},
    "max_age": {"type": "str"},
    "rotate_when": {"type": "raw"},
    "secret": {"type": "str", "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent", "rotated"], "default": "present"},
}
ARGUMENTS = dict(OPTIONS, user={"type": "str", "required": True})
MADE_HERE = ("rotate_before", "max_age", "rotate_when")  # a secret that is brought is renewed where it comes from
FIELD_OPTIONS = {"expiresOn": "expires_on"}


def ensure(client, parameters, check_mode):
    """Make the token as declared; the module's result."""
    catalog = Catalog(client, check_mode)
    absent = parameters["state"] == "absent"
    owner = (
        client.get("users", kept(parameters["user"]), fields="id")
        if absent
        else catalog.account(parameters["user"], "user", "id")
    )
    now = moment()
    existing = find(client, owner, parameters["name"], fields(parameters), now)
    result = make(client, catalog, owner, parameters, existing, check_mode, now)
    for finish in catalog.at_end:
        finish()
    return dict(result, warnings=catalog.warnings)


def make(client, catalog, owner, parameters, existing, check_mode, now=None):
    """Make the token as declared, from `existing`, which was read with `fields`.

    `owner` is None in check mode where an earlier task creates it.
    """
    _require_consistent(parameters)
    if parameters["state"] == "absent":
        act = client.acting(check_mode) if existing else None
        if act:
            act.delete("users", owner["id"], "permanenttokens", existing["id"])
        return outcome("permanent_token", view(existing, parameters) if existing else ABSENT, ABSENT)
    now = moment() if now is None else now
    ended = existing if existing and rules.has_ended(existing, now) else None
    if ended and rules.is_declared_past(parameters, now):
        catalog.warn("The token {} ended as declared. Declare a later end for a new one.".format(ended["name"]))
        seen = view(ended, parameters)
        return outcome("permanent_token", seen, seen, rotated=False)
    work = Work(client, catalog, owner, parameters, None if ended else existing, now, ended)
    return work.change(check_mode) if work.existing else work.create(check_mode)


def _require_consistent(parameters):
    if parameters["secret"] is None:
        return
    together = [name for name in MADE_HERE if parameters[name] is not None]
    if parameters["state"] == "rotated":
        raise RequestRefused(0, "a secret that is declared is renewed by declaring another.", "state")
    if together:
        raise RequestRefused(0, "cannot be declared together with secret, which is renewed elsewhere.", together[0])
