# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Trust rules: which outside identity tokens a bot's pipelines may trade for access tokens."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog, reference
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, kept, outcome, unordered

ARGUMENTS = {
    "user": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "issuer": {"type": "str"},
    "audience": {"type": "str"},
    "conditions": {"type": "dict"},
    "scope": {"type": "list", "elements": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
FIELDS = "id,name,issuer,audience,conditions,scope(id,key,name)"


def ensure(client, parameters, check_mode):
    """Make the rule as declared; the module's result."""
    catalog = Catalog(client, check_mode)
    absent = parameters["state"] == "absent"
    owner = (
        client.get("users", parameters["user"], fields="id") if absent else catalog.account(parameters["user"], "user")
    )
    existing = _find(client, owner, kept(parameters["name"]))
    if absent:
        if existing and not check_mode:
            client.delete("users", owner["id"], "trustrules", existing["id"])
        return outcome("trust_rule", existing or ABSENT, ABSENT)
    wanted = _wanted(catalog, parameters, existing)
    if existing and all(wanted[field] == existing[field] for field in wanted):
        return outcome("trust_rule", existing, existing)
    after = dict(wanted)
    if not check_mode:
        # A rule cannot be changed, and its name is the account's only one: for a moment there is none.
        if existing:
            client.delete("users", owner["id"], "trustrules", existing["id"])
        body = dict(wanted, scope=[reference(service) for service in wanted["scope"]])
        path = ("users", owner["id"], "trustrules")
        after = client.made(lambda: _find(client, owner, wanted["name"]), body, *path, fields=FIELDS)
    return outcome("trust_rule", existing or ABSENT, after, warnings=catalog.warnings)


def _wanted(catalog, parameters, existing):
    conditions = {}
    for claim, patterns in parameters["conditions"].items():
        said = [patterns] if isinstance(patterns, str) else patterns
        if not isinstance(said, list) or not all(isinstance(pattern, str) for pattern in said):
            raise RequestRefused(0, f"{claim} needs a text or a list of texts.", "conditions")
        conditions[claim] = unordered(said, (existing or {}).get("conditions", {}).get(claim))
    services = catalog.find_all("services", parameters["scope"], "scope")
    there = (existing or {}).get("scope", [])
    same = {service["id"] for service in services} == {service["id"] for service in there}
    return {
        "name": kept(parameters["name"]),
        "issuer": parameters["issuer"],
        "audience": parameters["audience"],
        "conditions": conditions,
        "scope": there if same else services,
    }


def _find(client, owner, name):
    if owner is None:
        return None
    rules = client.get_all("trustrules", "users", owner["id"], "trustrules", fields=FIELDS)
    return next((rule for rule in rules if rule["name"] == name), None)
