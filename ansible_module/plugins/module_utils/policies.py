# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Policies: what a service demands of the tokens that are for it, or a group of its members' tokens."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, outcome

DAYS = {
    "longest_life_days": "longestLifeDays",
    "rotation_due_days": "rotationDueDays",
    "unused_days": "unusedDays",
}
CONSEQUENCES = {"unused": ["flag", "disable"], "reused": ["flag", "revoke"], "leaked": ["flag", "revoke"]}
DEFAULTS = {"unused": "flag", "reused": "flag", "leaked": "revoke"}
PLACES = {"service": "services", "group": "usergroups"}
ARGUMENTS = dict(
    {name: {"type": "int"} for name in DAYS},
    **{name: {"type": "str", "choices": choices} for name, choices in CONSEQUENCES.items()},
    service={"type": "str"},
    group={"type": "str"},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
)
FIELD_OPTIONS = {field: option for option, field in DAYS.items()}
FIELDS = ",".join(["id", *DAYS.values(), *CONSEQUENCES])


def ensure(client, parameters, check_mode):
    """Make the whole policy as declared; the module's result."""
    catalog = Catalog(client, check_mode)
    option = "service" if parameters["service"] is not None else "group"
    absent = parameters["state"] == "absent"
    body = catalog.find(PLACES[option], parameters[option], option, or_none=absent)
    if body is None:
        return outcome("policy", ABSENT, ABSENT)
    existing = client.get(PLACES[option], body["id"], "policy", fields=FIELDS) if body["id"] else None
    if absent:
        act = client.acting(check_mode) if existing else None
        if act:
            act.delete(PLACES[option], body["id"], "policy")
        return outcome("policy", existing or ABSENT, ABSENT, warnings=catalog.warnings)
    wanted = {field: parameters[name] for name, field in DAYS.items()}
    wanted.update({name: parameters[name] or DEFAULTS[name] for name in CONSEQUENCES})
    after = dict(wanted, id=body["id"])
    act = client.acting(check_mode) if after != existing else None
    if act:
        act.set(wanted, PLACES[option], body["id"], "policy", fields="id")
    return outcome("policy", existing or ABSENT, after, warnings=catalog.warnings)
