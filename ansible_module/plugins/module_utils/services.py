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
    renew_secret={"type": "bool", "default": False, "no_log": False},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
)
FIELD_OPTIONS = dict(
    {field: option for option, field in dict(TEXTS, **ADDRESSES, **LISTS).items()},
    groups="visible_to",
    defaultRoles="default_roles",
)
FIELDS = ",".join(["id", "key", *TEXTS.values(), *ADDRESSES.values(), *LISTS.values(), *FLAGS.values()])
FIELDS += ",defaultRoles(id),permissions(key,name),groups(id)"
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
    catalog = Catalog(client, check_mode)
    wanted = _wanted(catalog, parameters, existing or {})
    if existing is None:
        return _create(client, parameters["key"], wanted, catalog, check_mode)
    changed = changes(wanted, existing)
    after, more = predicted(existing, changed), {}
    if changed and not check_mode:
        client.set(changed, "services", existing["id"], fields="id")
    if parameters["renew_secret"] and not check_mode:
        more["secret"] = _renewed(client, existing["id"])
    renewed = parameters["renew_secret"]
    return outcome("service", existing, after, bool(changed) or renewed, warnings=catalog.warnings, **more)


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


def _create(client, key, wanted, catalog, check_mode):
    if not wanted.get("name"):
        raise RequestRefused(0, f"is required to create the service {key}.", "name")
    after = dict(predicted(FIRST, wanted), key=key)
    result = outcome("service", ABSENT, after, warnings=catalog.warnings)
    if not check_mode:
        # Its secret is in the answer that creates it alone: where that was lost, it gets another one.
        made = client.made(lambda: client.get("services", key, fields="id"), dict(wanted, key=key), "services")
        after["id"] = made["id"]
        result["secret"] = made.get("secret") or _renewed(client, made["id"])
    return result


def _renewed(client, id):
    return client.set({}, "services", id, "secret")["secret"]
