# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lengths of time in tasks."""

from __future__ import annotations

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused
from ansible_collections.keyturn.hub.plugins.module_utils.durations import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("3600", 3600),
        ("90m", 5400),
        ("36h", 129_600),
        ("7d", 604_800),
        ("2w", 1_209_600),
        (" 5s ", 5),
        ("P7D", 604_800),
        ("PT36H", 129_600),
        ("P1DT1H1M1S", 90_061),
    ],
)
def test_what_people_write_is_understood(text, expected):
    assert seconds({"grace": text}, "grace") == expected


def test_what_is_left_out_says_nothing():
    assert seconds({"grace": None}, "grace") is None


@pytest.mark.parametrize("text", ["", "x", "-1", "7 days", "P", "PT", "1.5h", "\u0661d", "P1M"])
def test_anything_else_is_refused_by_the_name_of_the_option(text):
    with pytest.raises(RequestRefused, match="no length of time") as refusal:
        seconds({"grace": text}, "grace")
    assert refusal.value.field == "grace"
