# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Groups: what they are inside of, who is in them, which roles they give."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils import holdings, names
from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog, reference
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (
    ABSENT,
    changes,
    declared,
    outcome,
    predicted,
)

ARGUMENTS = {
    "name": {"type": "str", "required": True},
    "new_name": {"type": "str"},
    "parent": {"type": "str"},
    "required_two_factor": {"type": "bool"},
    "members": {"type": "list", "elements": "str"},
    "roles": holdings.ROLES_ARGUMENT,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
FIELD_OPTIONS = {"requiredTwoFactorAuthentication": "required_two_factor", "role": "roles", "user": "members"}
_FIELDS = "id,name,requiredTwoFactorAuthentication,parent(id,name)"


def ensure(client, parameters, check_mode):
    """Make the group as declared; the module's result."""
    catalog = Catalog(client, check_mode)
    existing = _find(client, catalog, parameters)
    if parameters["state"] == "absent":
        act = client.acting(check_mode) if existing else None
        if act:
            act.delete("usergroups", existing["id"])
        return outcome("group", _view(client, existing, {}) if existing else ABSENT, ABSENT)
    wanted = declared(parameters, required_two_factor="requiredTwoFactorAuthentication", new_name="name")
    wanted.setdefault("name", existing["name"] if existing else declared(parameters, "name")["name"])
    things = _things(catalog, parameters)
    before = _view(client, existing, parameters) if existing else ABSENT
    start = before or {"requiredTwoFactorAuthentication": False}
    after = dict(predicted(start, changes(wanted, start)), **_shown(things))
    act = client.acting(check_mode) if after != before else None
    if act:
        id = _apply(act, existing, wanted, things)
        after = dict(after, id=id) if id else after
    return outcome("group", before, after, warnings=catalog.warnings)


def _find(client, catalog, parameters):
    for name in filter(None, (parameters["name"], parameters["new_name"])):
        found = names.named(catalog.all("usergroups"), name, names.group)
        if found:
            return client.get("usergroups", found[0]["id"], fields=f"{_FIELDS},{holdings.ROLE_FIELDS}")
    return None


def _apply(client, existing, wanted, things):
    """Make it so; the group's id."""
    body = dict(wanted)
    if "parent" in things:
        body["parent"] = reference(things["parent"]) if things["parent"] else None
    if existing:
        client.set(body, "usergroups", existing["id"], fields="id")
        group = existing
    else:

        def find():
            known = client.get_all("usergroups", "usergroups", fields="id,name")
            found = names.named(known, wanted["name"], names.group)
            return dict(found[0], projectRoles=[]) if found else None

        group = client.made(find, body, "usergroups", fields=f"id,{holdings.ROLE_FIELDS}")
        if group["id"] is None:
            return None
    if "members" in things:
        holdings.set_members(client, group["id"], _members(client, group), things["members"])
    if "roles" in things:
        holdings.set_roles(client, "usergroups", group, things["roles"])
    return group["id"]


def _things(catalog, parameters):
    things = {}
    if parameters["parent"] is not None:
        things["parent"] = catalog.find("usergroups", parameters["parent"], "parent") if parameters["parent"] else None
    if parameters["members"] is not None:
        things["members"] = []
        for login in parameters["members"]:
            account = catalog.account(login, "members", "id,login") or {"id": None, "login": login}
            if account not in things["members"]:
                things["members"].append(account)
    if parameters["roles"] is not None:
        things["roles"] = holdings.wanted_roles(catalog, parameters)
    return things


def _shown(things):
    shown = {}
    if "parent" in things:
        shown["parent"] = things["parent"]["name"] if things["parent"] else None
    if "members" in things:
        shown["members"] = sorted(account["login"] for account in things["members"])
    if "roles" in things:
        shown["roles"] = holdings.shown_roles(things["roles"])
    return shown


def _view(client, group, parameters):
    """A group as tasks see it: with what they speak of."""
    view = {name: group[name] for name in ("id", "name", "requiredTwoFactorAuthentication")}
    if parameters.get("parent") is not None:
        view["parent"] = group["parent"]["name"] if group["parent"] else None
    if parameters.get("members") is not None:
        view["members"] = sorted(account["login"] for account in _members(client, group))
    if parameters.get("roles") is not None:
        view["roles"] = holdings.shown_roles(holdings.grants_of(group))
    return view


def _members(client, group):
    return client.get_all("users", "usergroups", group["id"], "users", fields="id,login")
