# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Services: what tokens are good for, and who asks about them."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog
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

TEXTS = {"name": "name", "application_name": "applicationName", "vendor": "vendor", "version": "version"}
ADDRESSES = {"home_url": "homeUrl", "icon_url": "iconUrl"}
LISTS = {"base_urls": "baseUrls", "redirect_uris": "redirectUris", "grant_types": "grantTypes"}
FLAGS = {"trusted": "trusted", "public": "public"}
GRANT_TYPES = [
    "authorization_code",
    "client_credentials",
    "refresh_token",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:token-exchange",
]
ARGUMENTS = dict(
    {name: {"type": "str"} for name in (*TEXTS, *ADDRESSES)},
    key={"type": "str", "required": True, "no_log": False},
    base_urls={"type": "list", "elements": "str"},
    redirect_uris={"type": "list", "elements": "str"},
    grant_types={"type": "list", "elements": "str", "choices": GRANT_TYPES},
    trusted={"type": "bool"},
    public={"type": "bool"},
    default_roles={"type": "list", "elements": "str"},
    visible_to={"type": "list", "elements": "str"},
    permissions={
        "type": "list",
        "elements": "dict",
        "options": {"key": {"type": "str", "required": True, "no_log": False}, "name": {"type": "str"}},
    },
    secret={"type": "str", "no_log": True},
    renew_secret={"type": "bool", "default": False, "no_log": False},
    grace={"type": "str"},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
)
FIELD_OPTIONS = dict(
    {field: option for option, field in dict(TEXTS, **ADDRESSES, **LISTS).items()},
    groups="visible_to",
    defaultRoles="default_roles",
)
FIELDS = ",".join(["id", "key", *TEXTS.values(), *ADDRESSES.values(), *LISTS.values(), *FLAGS.values()])
FIELDS += ",defaultRoles(id),permissions(key,name),groups(id)"
SECRET = "secret"  # in a diff: what becomes of it
# What a new service has before anybody says otherwise.
FIRST = dict(
    dict.fromkeys((*TEXTS.values(), *ADDRESSES.values())),
    trusted=False,
    public=False,
    baseUrls=[],
    redirectUris=[],
    grantTypes=["authorization_code", "refresh_token", "client_credentials"],
    defaultRoles=[],
    permissions=[],
    groups=[],
)


def ensure(client, parameters, check_mode):
    """Make the service as declared; the module's result."""
    existing = client.get("services", parameters["key"], fields=FIELDS)
    if parameters["state"] == "absent":
        if existing and not check_mode:
            client.delete("services", existing["id"])
        return outcome("service", existing or ABSENT, ABSENT)
    if parameters["renew_secret"] and parameters["secret"] is not None:
        raise RequestRefused(0, "a secret that is declared is renewed by declaring another.", "renew_secret")
    grace = seconds(parameters, "grace") or 0
    catalog = Catalog(client, check_mode)
    wanted = _wanted(catalog, parameters, existing or {})
    if existing is None:
        return _create(client, parameters, wanted, catalog, check_mode)
    changed = changes(wanted, existing)
    reason = _why_renew(client, parameters, existing["id"])
    result = outcome(
        "service",
        existing,
        predicted(existing, changed),
        bool(changed or reason),
        warnings=catalog.warnings,
        **_brought(parameters, existing["id"]),
    )
    if reason:
        result["diff"] = {
            "before": dict(existing, **{SECRET: "as it is"}),
            "after": dict(result["service"], **{SECRET: f"renewed: {reason}"}),
        }
    if changed and not check_mode:
        client.set(changed, "services", existing["id"], fields="id")
    if reason and not check_mode:
        result.update(_renew(client, existing["id"], grace, parameters["secret"]))
    return result


def _wanted(catalog, parameters, existing):
    wanted = declared(parameters, **dict(TEXTS, **ADDRESSES, **FLAGS))
    for option, field in LISTS.items():
        if parameters[option] is not None:
            wanted[field] = unordered(parameters[option], existing.get(field))
    for option, kind, field in (("default_roles", "roles", "defaultRoles"), ("visible_to", "usergroups", "groups")):
        if parameters[option] is not None:
            things = catalog.find_all(kind, parameters[option], option)
            ids = [thing["id"] for thing in things]
            ids = unordered(ids, [thing["id"] for thing in existing.get(field, [])])
            wanted[field] = [{"id": id} for id in ids]
    if parameters["permissions"] is not None:
        said = [{"key": each["key"], "name": each["name"] or each["key"]} for each in parameters["permissions"]]
        there = existing.get("permissions", [])
        same = sorted(said, key=lambda each: each["key"]) == sorted(there, key=lambda each: each["key"])
        wanted["permissions"] = there if same else said
    return wanted


def _create(client, parameters, wanted, catalog, check_mode):
    key, secret = parameters["key"], parameters["secret"]
    if not wanted.get("name"):
        raise RequestRefused(0, f"is required to create the service {key}.", "name")
    after = dict(predicted(FIRST, wanted), key=key)
    result = outcome("service", ABSENT, after, warnings=catalog.warnings)
    if not check_mode:
        # Its secret is in the answer that creates it alone: where that was lost, it gets another one.
        body = dict(wanted, key=key) if secret is None else dict(wanted, key=key, secret=secret)
        made = client.made(lambda: client.get("services", key, fields="id"), body, "services")
        after["id"] = made["id"]
        result.update(_brought(parameters, made["id"]))
        if secret is None:
            result["secret"] = made.get("secret") or _renew(client, made["id"], 0, None)["secret"]
    return result


def _why_renew(client, parameters, id):
    """Why the service needs a new secret, in words, or None."""
    if parameters["renew_secret"]:
        return "it was asked for"
    if parameters["secret"] is None:
        return None
    compared = client.set({"secret": parameters["secret"]}, "services", id, "secret", "comparison")
    return None if compared["current"] else "another one was declared"


def _renew(client, id, grace, secret):
    """What the result has of the new secret. One that was brought may be brought again."""
    body = {"grace": grace} if secret is None else {"grace": grace, "secret": secret}
    made = client.set(body, "services", id, "secret", fields="secret")
    return {"secret": made["secret"]} if secret is None else {}


def _brought(parameters, id):
    """What is needed to put a secret together that was brought: the module cannot return it (`plugin_utils.hiding`)."""
    return {} if parameters["secret"] is None else {"service_id": id}
