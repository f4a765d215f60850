# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Trust rules: which outside identity tokens a bot's pipelines may trade for access tokens."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog, reference
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, outcome, unordered
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept, same
from ansible_collections.keyturn.hub.plugins.module_utils.token_format import PRIVATE_MEMBERS

ARGUMENTS = {
    "user": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "issuer": {"type": "str"},
    "audience": {"type": "str"},
    "conditions": {"type": "dict"},
    "scope": {"type": "list", "elements": "str"},
    "keys": {"type": "list", "elements": "dict", "no_log": False},
    "lasting": {"type": "bool"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
METHOD_NOT_ALLOWED = 405
FIELDS = "id,name,issuer,audience,conditions,keys,lasting,scope(id,key,name)"
AT_FIRST = {"keys": [], "lasting": False}  # of a rule that says nothing of them
# What the server keeps of a key, in its order (RFC 7517 section 4, RFC 7518 section 6).
KEPT = ("kty", "kid", "use", "alg", "crv", "x", "y", "n", "e")


def ensure(client, parameters, check_mode):
    """Make the rule as declared; the module's result."""
    catalog = Catalog(client, check_mode)
    absent = parameters["state"] == "absent"
    owner = (
        client.get("users", kept(parameters["user"]), fields="id")
        if absent
        else catalog.account(parameters["user"], "user")
    )
    existing = _find(client, owner, kept(parameters["name"]))
    if absent:
        act = client.acting(check_mode) if existing else None
        if act:
            act.delete("users", owner["id"], "trustrules", existing["id"])
        return outcome("trust_rule", existing or ABSENT, ABSENT)
    wanted = _wanted(catalog, parameters, existing)
    if existing and all(wanted[field] == existing.get(field) for field in wanted):
        return outcome("trust_rule", existing, existing)
    after = dict(existing or AT_FIRST, **wanted)
    act = client.acting(check_mode) if owner else None  # in check mode, an earlier task may create it
    if act:
        body = dict(wanted, scope=[reference(service) for service in wanted["scope"]])
        path = ("users", owner["id"], "trustrules")
        if existing:
            told = _change(act, body, *path, existing["id"])
        else:
            told = act.made(lambda: _find(client, owner, wanted["name"]), body, *path, fields=FIELDS)
        after = after if check_mode else told
    return outcome("trust_rule", existing or ABSENT, after, warnings=catalog.warnings)


def _change(act, body, *path):
    """Change the rule where it is: there is no moment without it, and one that is refused leaves it as it was."""
    try:
        return act.set(body, *path, fields=FIELDS)
    except RequestRefused as refusal:
        if refusal.status == METHOD_NOT_ALLOWED:
            message = "this server cannot change a rule in place, and another one of this name cannot stand beside it. "
            raise RequestRefused(405, message + "Update it, or give the rule another name.", "name") from None
        raise


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
    optional = {"keys": _keys(parameters["keys"]), "lasting": parameters["lasting"]}
    return {
        "name": kept(parameters["name"]),
        "issuer": parameters["issuer"],
        "audience": parameters["audience"],
        "conditions": conditions,
        "scope": there if same else services,
        **{field: value for field, value in optional.items() if value is not None},
    }


def _keys(given):
    """The keys as the server keeps them: what else an issuer publishes of one is not needed. Raises RequestRefused."""
    if given and any(not set(PRIVATE_MEMBERS).isdisjoint(key) for key in given):
        raise RequestRefused(0, "contains a private or symmetric key. Give public keys only, and replace it.", "keys")
    return given and [{name: key[name] for name in KEPT if name in key} for key in given]


def _find(client, owner, name):
    if owner is None:
        return None
    rules = client.get_all("trustrules", "users", owner["id"], "trustrules", fields=FIELDS)
    return next((rule for rule in rules if same(rule["name"], name)), None)
