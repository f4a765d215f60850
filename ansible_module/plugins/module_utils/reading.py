# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What the modules that only tell ask for. Each function is the `ensure` of one of them."""

from __future__ import annotations

import time

from ansible_collections.keyturn.hub.plugins.module_utils import holdings, names
from ansible_collections.keyturn.hub.plugins.module_utils import policies as policy
from ansible_collections.keyturn.hub.plugins.module_utils import roles as role
from ansible_collections.keyturn.hub.plugins.module_utils import services as service
from ansible_collections.keyturn.hub.plugins.module_utils import trust_rules as rules
from ansible_collections.keyturn.hub.plugins.module_utils.catalog import Catalog
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.durations import seconds

USER_FIELDS = "id,type,login,name,banned,banReason"
GROUP_FIELDS = f"id,name,requiredTwoFactorAuthentication,parent(id,name),{holdings.ROLE_FIELDS}"
TOKEN_FIELDS = "id,name,scope(id,key,name),user(id,login),creationTime,lastAccessTime"
WEBHOOK_FIELDS = (
    "id,name,url,kinds,creationTime,secrets(creationTime,endsOn),failing,problem,gone,lastSuccess,"
    "waiting,nextTry,attempt,attempts,givenUps,givenUp(id,kind,tokenId,time,problem)"
)
# By which whoever looks after tokens finds out what each is for, and whom to ask.
HEALTH_FIELDS = f"{TOKEN_FIELDS},description,contact,labels,endsOn,flags"


def users(client, parameters, check_mode):
    """Accounts."""
    query = {"query": parameters["query"]} if parameters["query"] else {}
    return _one_or_all(client, "users", parameters["login"], parameters["fields"] or USER_FIELDS, query)


def groups(client, parameters, check_mode):
    """Groups; a group is known by its name, which is no part of an address."""
    fields, name = parameters["fields"] or GROUP_FIELDS, parameters["name"]
    if name is None:
        return _told("groups", client.get_all("usergroups", "usergroups", fields=fields))
    found = names.named(Catalog(client, False).all("usergroups"), name, names.group)
    return _told("groups", [client.get("usergroups", group["id"], fields=fields) for group in found])


def roles(client, parameters, check_mode):
    """Roles."""
    return _one_or_all(client, "roles", parameters["key"], parameters["fields"] or role.FIELDS, {})


def services(client, parameters, check_mode):
    """Services."""
    return _one_or_all(client, "services", parameters["key"], parameters["fields"] or service.FIELDS, {})


def permanent_tokens(client, parameters, check_mode):
    """Permanent tokens of an account, or with a label, or all."""
    fields = parameters["fields"] or f"{TOKEN_FIELDS},labels,endsOn"
    asked = f"name,labels,{fields}" if parameters["fields"] else fields
    if parameters["user"] is None:
        query = {"label": parameters["label"]} if parameters["label"] else {}
        found = client.trail("permanenttokens", "permanenttokens", fields=asked, **query)
    else:
        _require_account(client, parameters["user"])
        found = client.get_all("permanenttokens", "users", parameters["user"], "permanenttokens", fields=asked)
    name, label = parameters["name"], parameters["label"]
    found = [token for token in found if name is None or names.same(name, token["name"])]
    return _told("permanent_tokens", [token for token in found if label is None or _has(token, label)])


def application_passwords(client, parameters, check_mode):
    """Application passwords of an account."""
    return _of_account(client, parameters, "applicationpasswords", "application_passwords", "id,name,lastAccessTime")


def trust_rules(client, parameters, check_mode):
    """Trust rules of an account."""
    return _of_account(client, parameters, "trustrules", "trust_rules", f"{rules.FIELDS},lastAccessTime")


def policies(client, parameters, check_mode):
    """The policy of a service or group."""
    option = "service" if parameters["service"] is not None else "group"
    holder = Catalog(client, False).find(policy.PLACES[option], parameters[option], option)
    found = client.get(policy.PLACES[option], holder["id"], "policy", fields=policy.FIELDS)
    return _told("policies", [found] if found else [])


def token_health(client, parameters, check_mode):
    """Permanent tokens with flags, or that end soon."""
    soon = (time.time() + seconds(parameters, "within")) * 1000
    query = {"label": parameters["label"]} if parameters["label"] else {}
    tokens = client.trail("permanenttokens", "permanenttokens", fields=HEALTH_FIELDS, **query)
    return _told("permanent_tokens", [each for each in tokens if each["flags"] or (each["endsOn"] or soon + 1) <= soon])


def webhooks(client, parameters, check_mode):
    """Webhooks; they are few, and all are read."""
    fields, name = parameters["fields"] or WEBHOOK_FIELDS, parameters["name"]
    if name is None:
        return _told("webhooks", client.get_all("webhooks", "webhooks", fields=fields))
    found = names.named(client.get_all("webhooks", "webhooks", fields="id,name"), name)
    return _told("webhooks", [client.get("webhooks", each["id"], fields=fields) for each in found])


def _has(token, label):
    """Whether a token has this label; as where the server looks for it, case does not matter."""
    return label.casefold() in (each.casefold() for each in token["labels"])


def _of_account(client, parameters, collection, name, fields):
    _require_account(client, parameters["user"])
    path = ("users", parameters["user"], collection)
    return _told(name, client.get_all(collection, *path, fields=parameters["fields"] or fields))


def _require_account(client, login):
    if client.get("users", login, fields="id") is None:
        raise RequestRefused(404, f"there is no account {login}.", "user")


def _one_or_all(client, kind, name, fields, query):
    if name is None:
        return _told(kind, client.get_all(kind, kind, fields=fields, **query))
    found = client.get(kind, name, fields=fields)
    return _told(kind, [found] if found else [])


def _told(name, things):
    return {"changed": False, name: things}


def current_token(client, parameters, check_mode):
    """The token that acts."""
    found = client.get("users", "me", "permanenttokens", "current", fields=f"{TOKEN_FIELDS},labels,endsOn")
    if found is None:
        raise RequestRefused(404, "what acts is no permanent token.", "token")
    return _told("permanent_token", found)
