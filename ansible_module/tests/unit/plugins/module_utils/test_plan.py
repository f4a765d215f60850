# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan reads like one."""

from __future__ import annotations

from ansible_collections.keyturn.hub.plugins.module_utils.declaration import ABSENT, outcome
from ansible_collections.keyturn.hub.plugins.module_utils.plan import of_bot

SAME = outcome("user", {"name": "A"}, {"name": "A"})


def test_what_stays_is_not_told():
    assert of_bot("a", SAME, [("t", SAME)]) == []


def test_what_is_made_changed_and_removed():
    made = outcome("x", ABSENT, {"name": "A bot", "groups": ["G", "H"], "banned": False})
    changed = outcome("x", {"scope": [{"key": "ci"}]}, {"scope": [{"key": "ci"}, {"key": "deploy"}]})
    gone = outcome("x", {"name": "old"}, ABSENT)
    assert of_bot("a", made, [("t", changed), ("old", gone)]) == [
        "+ bot a: groups [G, H]; name A bot",
        "~   token t: scope [ci] -> [ci, deploy]",
        "-   token old",
    ]


def test_what_a_thing_is_called_is_told_once():
    made = outcome("x", ABSENT, {"name": "t", "scope": [{"key": "ci"}]})
    assert of_bot("a", SAME, [("t", made)]) == ["  bot a", "+   token t: scope [ci]"]
    assert of_bot("a", outcome("x", ABSENT, {"name": "a"}), []) == ["+ bot a"]


def test_a_bot_that_stays_is_named_for_its_tokens():
    renewed = outcome("x", {"secret": "as it is"}, {"secret": "renewed: it was asked for"})
    assert of_bot("a", SAME, [("t", renewed)]) == ["  bot a", "~   token t: secret renewed: it was asked for"]
