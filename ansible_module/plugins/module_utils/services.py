# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Services: what tokens are good for, and who asks about them."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog
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
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept
from ansible_collections.keyturn.hub.plugins.module_utils.refusals import RequestRefused, outrun
from ansible_collections.keyturn.hub.plugins.module_utils.token_format import new_secret, service_secret

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
DEFAULT_GRACE = "1d"
RENEW_IT = "renew it once with renew_secret."
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
    key = kept(parameters["key"])
    existing = client.get("services", key, fields=FIELDS)
    if parameters["state"] == "absent":
        act = client.acting(check_mode) if existing else None
        if act:
            act.delete("services", existing["id"])
        return outcome("service", existing or ABSENT, ABSENT)
    secret = parameters["secret"].strip() if parameters["secret"] is not None else None
    if parameters["renew_secret"] and secret is not None:
        raise RequestRefused(0, "a secret that is declared is renewed by declaring another.", "renew_secret")
    grace = seconds(dict(parameters, grace=parameters["grace"] or DEFAULT_GRACE), "grace")
    catalog = Catalog(client, check_mode)
    wanted = _wanted(catalog, parameters, existing or {})
    if existing is None:
        return _create(client, key, secret, wanted, catalog, check_mode)
    changed = changes(wanted, existing)
    reason = _why_renew(client, parameters, secret, existing["id"])
    after, changes_something = predicted(existing, changed), bool(changed or reason)
    result = outcome("service", existing, after, changes_something, warnings=catalog.warnings)
    if reason:
        result["diff"] = {
            "before": dict(existing, **{SECRET: "as it is"}),
            "after": dict(after, **{SECRET: f"renewed: {reason}"}),
        }
    act = client.acting(check_mode) if changes_something else None
    if act and changed:
        act.set(changed, "services", existing["id"], fields="id")
    if act and reason:
        made = _renew(act, catalog, existing["id"], grace, secret)
        result.update({} if check_mode or secret is not None else {"secret": made})
    return dict(result, **_brought(secret, existing["id"]))


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


def _create(client, key, secret, wanted, catalog, check_mode):
    if not wanted.get("name"):
        raise RequestRefused(0, f"is required to create the service {key}.", "name")
    after = dict(predicted(FIRST, wanted), key=key)
    result = outcome("service", ABSENT, after, warnings=catalog.warnings)
    act = client.acting(check_mode)
    if not act:
        return result
    brought = _brought_or_new(catalog, secret)
    body = dict(wanted, key=key) if brought is None else dict(wanted, key=key, secret=brought)

    def find():
        found = client.get("services", key, fields="id")
        if found and brought is not None and not _is_current(client, found["id"], brought):
            raise outrun(f"somebody else made a service {key} meanwhile.", "key")
        return found

    try:
        made = act.made(find, body, "services", ours=brought is not None)
    except RequestRefused as refusal:
        raise refusal if secret is not None else with_remedy(refusal, client, f"the service {key}", RENEW_IT) from None
    if check_mode:
        return result
    after["id"] = made["id"]
    if brought is None:
        # Of a Hub's, the answer alone has the secret: where that was lost, the service gets another one.
        result["secret"] = made.get("secret") or _renew(client, catalog, made["id"], 0, None)
    elif secret is None:
        result["secret"] = service_secret(brought, made["id"])
    return dict(result, **_brought(secret, made["id"]))


def _why_renew(client, parameters, secret, id):
    """Why the service needs a new secret, in words, or None."""
    if parameters["renew_secret"]:
        return "it was asked for"
    return None if secret is None or _is_current(client, id, secret) else "another one was declared"


def _is_current(client, id, secret):
    return client.set({"secret": secret}, "services", id, "secret", "comparison")["current"]


def _renew(act, catalog, id, grace, secret):
    """The new secret. The same request twice does what it does once, since it says what the secret is to be."""
    brought = _brought_or_new(catalog, secret)
    if brought is None:
        return act.set({}, "services", id, "secret").get("secret")
    act.set({"grace": grace, "secret": brought}, "services", id, "secret", fields="id")
    return service_secret(brought, id)


def _brought_or_new(catalog, secret):
    """The secret that the server is given, made here if none is declared; None for a Hub, which makes its own."""
    return new_secret() if secret is None and catalog.is_keyturn() else secret


def _brought(secret, id):
    """What is needed to put a secret together that was brought: the module cannot return it (`plugin_utils.hiding`)."""
    return {} if secret is None else {"service_id": id}
