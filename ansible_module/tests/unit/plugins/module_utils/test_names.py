# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When two names are the same, by the same examples as the server's own tests."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import names

with open(os.path.join(os.path.dirname(__file__), "names.json"), encoding="utf-8") as file:
    EXAMPLES = json.load(file)
FORMS = {"name": names.kept, "group": names.group, "webhook": names.webhook, "login": names.login}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_names_are_compared_as_the_server_does(example):
    form = FORMS[example["kind"]]
    assert (form(example["one"]) == form(example["other"])) is example["same"]


@pytest.mark.parametrize(
    ("name", "named"), [("1", True), ("k", True), ("L", True), ("n ", True), ("N", False), ("x", False)]
)
def test_a_thing_is_named_by_id_key_login_or_name(name, named):
    thing = {"id": "1", "key": "k", "login": "l", "name": "n"}
    assert names.named([thing], name) == ([thing] if named else [])


def test_names_of_groups_are_folded():
    thing = {"id": "1", "name": "Stra\u00dfe"}
    assert names.named([thing], "STRASSE\n", names.group) == [thing]


def test_an_id_names_its_own_thing_whatever_others_are_called():
    impostor, meant = {"id": "1", "name": "2"}, {"id": "2", "name": "n"}
    assert names.named([impostor, meant], "2") == [meant]
