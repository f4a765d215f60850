# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From what is wanted and what is there to what has to change. Nothing here talks to anybody."""

from __future__ import annotations

import ipaddress
import unicodedata

ABSENT = {}


def changes(wanted, existing):
    """The wanted values that differ from the existing ones; None means: as it is."""
    return {name: value for name, value in wanted.items() if value is not None and value != existing.get(name)}


def same_services(wanted, existing):
    """Whether the names in `wanted` (ids, keys or names) stand for exactly the `existing` services."""
    matched = set()
    for name in wanted:
        ids = [service["id"] for service in existing if is_named(service, name)]
        if len(ids) != 1:
            return False
        matched.add(ids[0])
    return len(matched) == len(existing)


def about(parameters):
    """What a task says of a token besides name and scope, as the server keeps it; what is left out is left out."""
    said = {}
    for name in ("description", "contact"):
        if parameters[name] is not None:
            said[name] = unicodedata.normalize("NFC", parameters[name]).strip()
    if parameters["labels"] is not None:
        said["labels"] = list(dict.fromkeys(parameters["labels"]))
    if parameters["networks"] is not None:
        said["networks"] = list(dict.fromkeys(map(_network, parameters["networks"])))
    return said


def same_value(wanted, existing):
    """Whether a value is there already: nothing is as good as empty, and a list's order does not matter."""
    if isinstance(wanted, list):
        return set(wanted) == set(existing or [])
    return wanted == (existing or "")


def _network(text):
    try:
        return str(ipaddress.ip_network(text))
    except ValueError:
        return text  # the server says what is wrong with it


def is_named(service, name):
    """Whether `name` is the service's id, key or name."""
    return name in (service["id"], service.get("key"), service.get("name"))


def difference(before, after):
    """The diff that Ansible shows."""
    return {"before": before, "after": after}
