# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a purge may remove."""

from __future__ import annotations

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import removals
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused

ALLOWED = {"purge": True, "boundary": {"owner": "o"}, "bots": [{}], "max_removals": "5", "allow_empty": False}


@pytest.mark.parametrize(
    ("changed", "option"),
    [
        ({}, None),
        ({"purge": False, "boundary": None, "max_removals": None, "bots": []}, None),
        ({"boundary": {}}, "purge"),
        ({"max_removals": None}, "max_removals"),
        ({"max_removals": "many"}, "max_removals"),
        ({"max_removals": "-1"}, "max_removals"),
        ({"max_removals": "101%"}, "max_removals"),
        ({"bots": []}, "bots"),
        ({"bots": None}, "bots"),
        ({"bots": [], "allow_empty": True}, None),
    ],
)
def test_a_purge_says_what_it_may_remove(changed, option):
    parameters = dict(ALLOWED, **changed)
    if option is None:
        removals.require_limited(parameters)
        return
    with pytest.raises(RequestRefused) as refusal:
        removals.require_limited(parameters)
    assert refusal.value.field == option


@pytest.mark.parametrize(
    ("limit", "going", "there", "may"),
    [
        ("0", 0, 9, True),
        ("0", 1, 9, False),
        ("5", 5, 9, True),
        ("5", 6, 9, False),
        ("10%", 1, 19, True),
        ("10%", 2, 19, False),
        ("100%", 9, 9, True),
        ("0%", 1, 9, False),
    ],
)
def test_more_than_may_go_do_not(limit, going, there, may):
    parameters = dict(ALLOWED, max_removals=limit)
    if may:
        removals.require_few(parameters, going, there)
        return
    with pytest.raises(RequestRefused, match=f"{going} of {there}"):
        removals.require_few(parameters, going, there)
