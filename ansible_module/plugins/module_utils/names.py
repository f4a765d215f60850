# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""When two names are the same, as the server sees it: the one place of this collection that compares them.

The server's rules are in `chalicelib/core/common/validation.py` and `chalicelib/storage/engine/keys.py`; both
sides are tested on `tests/unit/plugins/module_utils/names.json`.
"""

from __future__ import annotations

import unicodedata


def kept(text):
    """A text as the server keeps it: composed (Unicode NFC), without blanks and line ends around it."""
    return unicodedata.normalize("NFC", text).strip()


def same(one, other):
    """Whether two free names are one: of tokens, trust rules, roles, services, application passwords."""
    return kept(one) == kept(other)


def login(text):
    """The form of a login under which it is unique: case does not matter."""
    return kept(text).lower()


def group(text):
    """The form of a group's name under which it is unique: case does not matter, in any script."""
    return kept(text).casefold()


def webhook(text):
    """The form of a webhook's name under which it is unique: as a group's."""
    return group(text)


def named(things, name, form=kept):
    """Those of the things of which `name` is the id or, where it is none's, the key, login or name.

    `form` is that under which their names are unique.
    """
    text = kept(name)
    by_id = [thing for thing in things if thing["id"] == text]
    return by_id or [thing for thing in things if _is_called(thing, text, form)]


def _is_called(thing, text, form):
    if text == thing.get("key"):
        return True
    if thing.get("login") is not None and login(text) == login(thing["login"]):
        return True
    return thing.get("name") is not None and form(text) == form(thing["name"])
