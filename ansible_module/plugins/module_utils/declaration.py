# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From what is wanted and what is there to what has to change. Nothing here talks to anybody."""

from __future__ import annotations

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


def is_named(service, name):
    """Whether `name` is the service's id, key or name."""
    return name in (service["id"], service.get("key"), service.get("name"))


def difference(before, after):
    """The diff that Ansible shows."""
    return {"before": before, "after": after}
