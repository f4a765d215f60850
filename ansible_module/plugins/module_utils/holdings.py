# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What hangs on an account or a group: the groups that an account is in, the members of a group, and their roles."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.catalog import reference
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused

FIRST_ROLE = "registered-user"  # every account has it from the beginning; tasks leave it alone
EVERYWHERE = "0"
ROLE_FIELDS = "projectRoles(id,role(id,key),project(id,key))"
ROLES_ARGUMENT = {
    "type": "list",
    "elements": "dict",
    "options": {"role": {"type": "str", "required": True}, "service": {"type": "str"}},
}


def wanted_roles(catalog, parameters):
    """What `roles` declares, each as (role, place), or None."""
    if parameters["roles"] is None:
        return None
    wanted = []
    for each in parameters["roles"]:
        role = catalog.find("roles", each["role"], "roles")
        place = catalog.find("services", each["service"], "roles") if each.get("service") else {"id": EVERYWHERE}
        wanted.append((role, place))
    return wanted


def shown_roles(grants):
    """Grants, as (role, place), for people: `role`, or `role at service`; sorted."""
    return sorted({_shown(role["key"], place) for role, place in grants if role["key"] != FIRST_ROLE})


def _shown(key, place):
    return key if place["id"] == EVERYWHERE else "{} at {}".format(key, place.get("key") or place["id"])


def grants_of(holder):
    """The grants of an account or group that was read with ROLE_FIELDS."""
    return [(grant["role"], grant["project"]) for grant in holder["projectRoles"]]


def set_roles(client, kind, holder, wanted):
    """Give and take so that an account or group has these roles and, of an account, its first one."""
    missing = {(role["id"], place["id"]) for role, place in wanted}
    for grant in holder["projectRoles"]:
        found = (grant["role"]["id"], grant["project"]["id"])
        if found not in missing and grant["role"]["key"] != FIRST_ROLE:
            client.delete(kind, holder["id"], "projectroles", grant["id"])
        missing.discard(found)
    for role_id, place_id in sorted(missing):
        _give(client, {"role": {"id": role_id}, "project": {"id": place_id}}, kind, holder["id"], "projectroles")


def set_groups(client, account, wanted):
    """Put an account into these groups, and take it out of all others."""
    missing = [group["id"] for group in wanted]
    for group in account["groups"]:
        if group["id"] in missing:
            missing.remove(group["id"])
        else:
            client.delete("usergroups", group["id"], "users", account["id"])
    for group_id in missing:
        _give(client, reference(account), "usergroups", group_id, "users")


def set_members(client, group_id, present, wanted):
    """Put these accounts into a group, and take all others out."""
    missing = [account["id"] for account in wanted]
    for account in present:
        if account["id"] in missing:
            missing.remove(account["id"])
        else:
            client.delete("usergroups", group_id, "users", account["id"])
    for account_id in missing:
        _give(client, {"id": account_id}, "usergroups", group_id, "users")


def _give(client, body, *path):
    try:
        client.set(body, *path)
    except RequestRefused as refusal:
        if refusal.status != 409:  # it was given already, perhaps by an attempt whose answer was lost
            raise
