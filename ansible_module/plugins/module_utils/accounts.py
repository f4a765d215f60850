# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Accounts: users and bots, with the groups that they are in and the roles that they have."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils import holdings
from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog, reference
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (
    ABSENT,
    changes,
    declared,
    outcome,
    predicted,
)
from ansible_collections.keyturn.hub.plugins.module_utils.names import kept

OPTIONS = {
    "name": {"type": "str"},
    "type": {"type": "str", "choices": ["user", "bot"]},
    "banned": {"type": "bool"},
    "ban_reason": {"type": "str"},
    "description": {"type": "str"},
    "email": {"type": "str"},
    "owner": {"type": "str"},
    "groups": {"type": "list", "elements": "str"},
    "roles": holdings.ROLES_ARGUMENT,
}
ARGUMENTS = dict(
    OPTIONS,
    login={"type": "str", "required": True},
    state={"type": "str", "choices": ["present", "absent"], "default": "present"},
)
FIELD_OPTIONS = {"banReason": "ban_reason", "profile": "email", "role": "roles", "group": "groups"}
_FIELDS = "id,type,login,name,banned,banReason"
# Asked for only where a task speaks of it: a Hub has not all of them, and each costs the server a read.
_ASKED = {
    "description": "description",
    "email": "profile(email(email))",
    "owner": "owner(id,name,type)",
    "groups": "groups(id,name)",
    "roles": holdings.ROLE_FIELDS,
}


def fields(parameters):
    """What has to be asked of an account to compare it with what a task declares."""
    return ",".join([_FIELDS] + [asked for option, asked in _ASKED.items() if parameters[option] is not None])


def ensure(client, parameters, check_mode):
    """Make the account as declared; the module's result."""
    existing = client.get("users", kept(parameters["login"]), fields=fields(parameters))
    if parameters["state"] == "absent":
        return remove(client, existing, check_mode)
    catalog = Catalog(client, check_mode)
    return dict(make(client, catalog, parameters, existing, check_mode), warnings=catalog.warnings)


def remove(client, existing, check_mode):
    """Delete the account, if there is one."""
    act = client.acting(check_mode) if existing else None
    if act:
        act.delete("users", existing["id"])
    return outcome("user", _view(existing, {}) if existing else ABSENT, ABSENT)


def make(client, catalog, parameters, existing, check_mode):
    """Make the account as declared, from `existing`, which was read with `fields`."""
    wanted = declared(parameters, "name", "banned", "description", "email", ban_reason="banReason")
    things = _things(catalog, parameters)
    if existing is None:
        return _create(client, parameters, wanted, things, check_mode)
    if parameters["type"] not in (None, existing.get("type")):
        raise RequestRefused(
            0, "{} is a {}, and no account can change its type.".format(existing["login"], existing["type"]), "type"
        )
    before = _view(existing, parameters)
    changed = changes(wanted, before)
    after = _banned_with_reason(dict(predicted(before, changed), **_shown(things)))
    act = client.acting(check_mode) if after != before else None
    if act:
        body = _body(changed)
        if after.get("owner") != before.get("owner"):
            body["owner"] = reference(things["owner"]) if things["owner"] else None
        if body:
            act.set(body, "users", existing["id"], fields="id")
        _hang_on(act, existing, things)
    return outcome("user", before, after)


def _create(client, parameters, wanted, things, check_mode):
    if not wanted.get("name"):
        raise RequestRefused(0, "is required to create the account {}.".format(parameters["login"]), "name")
    new = {"id": None, "type": parameters["type"] or "user", "login": kept(parameters["login"]), "banned": False}
    new["banReason"] = None
    after = _banned_with_reason(dict(predicted(new, wanted), **_shown(things)))
    if check_mode:
        del after["id"]
    act = client.acting(check_mode)
    if act is None:
        return outcome("user", ABSENT, after)
    ban = {name: after[name] for name in ("banned", "banReason") if wanted.get(name)}
    said = {name: value for name, value in wanted.items() if name not in ("banned", "banReason")}
    body = dict(_body(said), login=kept(parameters["login"]))
    if parameters["type"]:
        body["type"] = parameters["type"]
    if "owner" in things:  # otherwise whoever makes a bot owns it
        body["owner"] = reference(things["owner"]) if things["owner"] else None
    asked = f"id,groups(id),{holdings.ROLE_FIELDS}" if "groups" in things or "roles" in things else "id"

    def find():
        return client.get("users", kept(parameters["login"]), fields=asked)

    made = act.made(find, body, "users", fields=asked)
    if check_mode:
        return outcome("user", ABSENT, after)
    if ban:
        act.set(ban, "users", made["id"], fields="id")
    _hang_on(act, made, things)
    return outcome("user", ABSENT, dict(after, id=made["id"]))


def _hang_on(client, account, things):
    if "groups" in things:
        holdings.set_groups(client, account, things["groups"])
    if "roles" in things:
        holdings.set_roles(client, "users", account, things["roles"])


def _things(catalog, parameters):
    """The other things that a task speaks of."""
    things = {}
    if parameters["owner"] is not None:
        things["owner"] = catalog.account(parameters["owner"], "owner") if parameters["owner"] else None
        if parameters["owner"] and things["owner"] is None:
            things["owner"] = {"id": None, "name": parameters["owner"], "type": "user"}
    if parameters["groups"] is not None:
        things["groups"] = catalog.find_all("usergroups", parameters["groups"], "groups")
    if parameters["roles"] is not None:
        things["roles"] = holdings.wanted_roles(catalog, parameters)
    return things


def _shown(things):
    shown = {}
    if "owner" in things:
        shown["owner"] = things["owner"]["name"] if things["owner"] else None
    if "groups" in things:
        shown["groups"] = sorted(group["name"] for group in things["groups"])
    if "roles" in things:
        shown["roles"] = holdings.shown_roles(things["roles"])
    return shown


def _view(account, parameters):
    """An account as tasks see it: with what they speak of."""
    view = {name: account.get(name) for name in _FIELDS.split(",")}
    if parameters.get("description") is not None:
        view["description"] = account["description"]
    if parameters.get("email") is not None:
        view["email"] = (account["profile"].get("email") or {}).get("email")
    if parameters.get("owner") is not None:
        view["owner"] = account["owner"]["name"] if account.get("owner") else None
    if parameters.get("groups") is not None:
        view["groups"] = sorted(group["name"] for group in account["groups"])
    if parameters.get("roles") is not None:
        view["roles"] = holdings.shown_roles(holdings.grants_of(account))
    return view


def _body(changed):
    """What changed, as the server wants it."""
    body = {name: value for name, value in changed.items() if name != "email"}
    if "email" in changed:
        body["profile"] = {"email": {"email": changed["email"]}}
    return body


def _banned_with_reason(view):
    """Only a ban has a reason."""
    return view if view["banned"] else dict(view, banReason=None)
