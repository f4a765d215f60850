# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to change."""

from __future__ import annotations

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import declaration


def test_only_what_is_wanted_and_different_changes():
    wanted, there = {"a": 1, "c": 3, "d": False}, {"a": 1, "b": 2, "c": 2, "d": True}
    assert declaration.changes(wanted, there) == {"c": 3, "d": False}


def test_an_empty_text_stands_for_nothing():
    assert declaration.changes({"a": "", "b": ""}, {"a": None, "b": "x"}) == {"b": ""}
    assert declaration.predicted({"b": "x"}, {"b": ""}) == {"b": None}


def test_what_a_task_says_is_compared_as_the_server_keeps_it():
    said = {"description": " e\u0301 ", "contact": None, "ban_reason": "x"}
    assert declaration.declared(said, "description", "contact", ban_reason="banReason") == {
        "description": "\u00e9",
        "banReason": "x",
    }


@pytest.mark.parametrize(
    ("values", "there", "result"),
    [
        (["b", "a"], ["a", "b"], ["a", "b"]),
        (["a", "a", "b"], ["b", "a"], ["b", "a"]),
        (["b", "a", "b"], ["a"], ["b", "a"]),
        (["b", "a"], None, ["b", "a"]),
        ([], [], []),
    ],
)
def test_order_and_repetition_are_no_change(values, there, result):
    assert declaration.unordered(values, there) == result


@pytest.mark.parametrize(
    ("text", "kept"), [("192.0.2.7", "192.0.2.7/32"), ("2001:DB8::/32", "2001:db8::/32"), ("x", "x")]
)
def test_a_network_is_compared_as_the_server_writes_it(text, kept):
    assert declaration.network(text) == kept


def test_an_outcome_changes_something_if_what_is_there_differs():
    assert declaration.outcome("x", {"a": 1}, {"a": 1}) == {
        "changed": False,
        "diff": {"before": {"a": 1}, "after": {"a": 1}},
        "x": {"a": 1},
    }
    assert declaration.outcome("x", {"a": 1}, declaration.ABSENT)["changed"]
    assert "x" not in declaration.outcome("x", {"a": 1}, declaration.ABSENT)
