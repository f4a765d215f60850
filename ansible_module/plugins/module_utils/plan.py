# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A plan for people: what will be made (+), changed (~) and removed (-), a line for each."""

from __future__ import annotations

UNSEEN = ("id", "login", "type", "secret")


def of_bot(login, account, tokens):
    """The lines of one bot: `account` is its outcome, `tokens` are (name, outcome)."""
    lines = _lines("bot " + login, account)
    for name, outcome in tokens:
        lines += _lines("  token " + name, outcome)
    if lines and not account["changed"]:
        lines.insert(0, f"  bot {login}")
    return lines


def _lines(what, outcome):
    if not outcome["changed"]:
        return []
    before, after = outcome["diff"]["before"], outcome["diff"]["after"]
    if not before:
        told = [name for name in sorted(after) if name not in UNSEEN and after[name]]
        said = [_said(name, after[name]) for name in told if not what.endswith(f" {after[name]}")]
        return ["; ".join([f"+ {what}", *said]).replace("; ", ": ", 1)]
    if not after:
        return [f"- {what}"]
    changed = [
        f"{_said(name, before.get(name))} -> {_text(after[name])}"
        for name in sorted(after)
        if name not in UNSEEN and after[name] != before.get(name)
    ]
    if "secret" in after:
        changed.append("secret " + after["secret"])
    return ["~ {}: {}".format(what, "; ".join(changed))]


def _said(name, value):
    return f"{name} {_text(value)}"


def _text(value):
    if isinstance(value, list):
        return "[{}]".format(", ".join(_text(each) for each in value))
    if isinstance(value, dict):
        return str(value.get("key") or value.get("name") or value.get("id"))
    return "none" if value is None else str(value)
