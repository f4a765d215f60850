# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""From what is wanted and what is there to what has to change. Nothing here talks to anybody."""

from __future__ import annotations

import ipaddress

from ansible_collections.keyturn.hub.plugins.module_utils.names import kept

ABSENT = {}


def declared(parameters, *names, **fields):
    """What a task declares, under the server's names, texts as it keeps them; what is left out is left out.

    `fields` are those that the server calls otherwise: option=field.
    """
    said = {}
    for option, field in [*((name, name) for name in names), *fields.items()]:
        value = parameters[option]
        if isinstance(value, str):
            value = kept(value)
        if value is not None:
            said[field] = value
    return said


def changes(wanted, existing):
    """The wanted values that differ from the existing ones; an empty text stands for nothing."""
    return {name: value for name, value in wanted.items() if not _same(value, existing.get(name))}


def predicted(existing, changed):
    """What is there once `changed` is so."""
    return dict(existing, **{name: None if value == "" else value for name, value in changed.items()})


def _same(wanted, existing):
    return wanted == (existing or "") if isinstance(wanted, str) else wanted == existing


def unordered(values, existing):
    """The values as the server has them, if they differ in order or repetition alone; otherwise each once."""
    each = list(dict.fromkeys(values))
    return existing if existing is not None and set(each) == set(existing) else each


def network(text):
    """A network as the server writes it; a text that is none, as it is: the server says what is wrong with it."""
    try:
        return str(ipaddress.ip_network(text.strip()))
    except ValueError:
        return text


def outcome(kind, before, after, changed=None, **more):
    """A module's result. It changed something if what is there differs, or if `changed` says so."""
    result = {"changed": before != after if changed is None else changed, "diff": {"before": before, "after": after}}
    if after:
        result[kind] = after
    return dict(result, **more)
