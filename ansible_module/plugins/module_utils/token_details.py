# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What describes a token besides its name: options that the server knows under the same names."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils import token_rules as rules
from ansible_collections.keyturn.hub.plugins.module_utils.declaration import declared, network, unordered

_LIST = {"type": "list", "elements": "str"}
DETAILS = {
    "description": {"type": "str"},
    "contact": {"type": "str"},
    "labels": _LIST,
    "networks": _LIST,
}
LABELS = "labels"  # which are read anyway: the collection keeps some of its own
READ = [name for name in DETAILS if name != LABELS]
_AS_KEPT = {"networks": network}  # how the server writes what is in a list


def details(token):
    """The details of a token as it was read, as far as they were asked for."""
    known = {name: token[name] for name in READ if name in token}
    return dict(known, labels=rules.shown(token.get(LABELS)))


def declared_details(parameters, existing):
    """What a task declares, as the server has it if it differs in form alone."""
    wanted = declared(parameters, *DETAILS)
    there = details(existing)
    for name, values in wanted.items():
        if isinstance(values, list):
            wanted[name] = unordered(map(_AS_KEPT.get(name, str), values), there.get(name))
    return wanted
