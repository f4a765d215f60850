# Copyright: (c) 2026, the Keyturn authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a token needs a new secret."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.keyturn.hub.plugins.module_utils import marks
from ansible_collections.keyturn.hub.plugins.module_utils import token_rules as rules
from ansible_collections.keyturn.hub.plugins.module_utils.client import RequestRefused

DAY = 24 * 3600 * 1000
NOW = 1_000 * DAY
OPTIONS = {
    "state": "present",
    "max_age": None,
    "rotate_before": None,
    "lifetime": None,
    "expires_on": None,
    "rotate_when": None,
}


def why(token=None, **options):
    there = dict({"creationTime": NOW - 10 * DAY, "labels": [], "endsOn": None}, **(token or {}))
    return rules.why_rotate(dict(OPTIONS, **options), there, NOW)


def test_without_a_reason_it_stays():
    assert why() is None
    assert why(max_age="11d", rotate_before="1d") is None


def test_it_is_asked_for():
    assert why(state="rotated") == "it was asked for"


def test_it_is_too_old():
    assert why(max_age="9d") == "its secret is older than 9d"
    assert why({"rotationTime": NOW - DAY}, max_age="9d") is None


def test_it_would_end_soon():
    assert why({"endsOn": NOW + DAY}, rotate_before="2d") == "it ends within 2d"
    assert why({"endsOn": NOW + 3 * DAY}, rotate_before="2d") is None


def test_a_policy_has_ended_it():
    assert why({"endsOn": NOW}) == "a policy has ended its secret"
    assert why({"endsOn": NOW + 1}) is None


def test_what_has_ended_by_itself_no_secret_makes_good():
    assert rules.has_ended({"expiresOn": NOW}, NOW)
    assert not rules.has_ended({"expiresOn": NOW + 1}, NOW)
    assert not rules.has_ended({}, NOW)


def test_where_only_a_later_end_helps_that_is_said():
    ending = {"endsOn": NOW + DAY, "expiresOn": NOW + DAY}
    with pytest.raises(RequestRefused, match="Declare lifetime") as refusal:
        why(ending, rotate_before="2d")
    assert refusal.value.field == "rotate_before"
    assert why(ending, rotate_before="2d", lifetime="90d")
    assert why({"endsOn": NOW + DAY, "expiresOn": NOW + 9 * DAY}, rotate_before="2d")  # a policy ends it earlier


def test_an_end_is_the_tokens_own():
    assert not rules.has_ended({"endsOn": NOW - DAY}, NOW)  # by a policy: a new secret helps
    assert not rules.has_ended({"expiresOn": None, "endsOn": NOW - DAY}, NOW)
    assert not rules.has_ended({"expiresOn": NOW + 1}, NOW)
    assert rules.has_ended({"expiresOn": NOW}, NOW)


def test_what_is_declared_to_have_ended_is_not_made():
    assert rules.is_declared_past(dict(OPTIONS, expires_on="1970-01-01"), NOW)
    assert not rules.is_declared_past(dict(OPTIONS, expires_on="2200-01-01"), NOW)
    assert not rules.is_declared_past(dict(OPTIONS, lifetime="1d"), NOW)
    assert not rules.is_declared_past(dict(OPTIONS, expires_on="never"), NOW)
    assert not rules.is_declared_past(OPTIONS, NOW)


def test_what_it_depends_on_has_changed():
    noted = {"labels": [rules.inputs_label(["a"])]}
    assert why(noted, rotate_when=["b"]) == "what it depends on has changed"
    assert why(noted, rotate_when=["a"]) is None
    assert why({"labels": ["x"]}, rotate_when=["b"]) is None  # it is noted for the first time


def test_the_order_of_a_list_is_no_change():
    noted = {"labels": [rules.inputs_label({"team": ["jo", "al", {"x": [2, 1]}]})]}
    assert why(noted, rotate_when={"team": [{"x": [1, 2]}, "al", "jo"]}) is None
    assert why(noted, rotate_when={"team": ["jo", "jo", "al", {"x": [2, 1]}]})


def test_what_an_earlier_version_noted_is_still_known():
    earlier = rules.INPUTS + hashlib.sha256(b'["b", "a"]').hexdigest()[:24]
    assert why({"labels": [earlier]}, rotate_when=["b", "a"]) is None
    assert why({"labels": [earlier]}, rotate_when=["b", "c"])


@pytest.mark.parametrize("mark", ["keyturn.hub/undelivered", marks.new(NOW - 2 * DAY)], ids=["earlier", "dead"])
def test_nobody_had_its_secret(mark):
    assert why({"labels": [mark]}) == "an earlier run could not hand over its secret"


def test_a_run_that_is_under_way_is_left_alone():
    assert why({"labels": [marks.new(NOW)]}, max_age="1d") is None
    assert why({"labels": [marks.new(NOW)]}, state="rotated") == "it was asked for"
    assert rules.in_other_hands({"labels": [marks.new(NOW)], "creationTime": NOW}, NOW)


def test_inputs_are_compared_by_value_and_not_told():
    assert rules.inputs_label({"a": 1, "b": [2]}) == rules.inputs_label({"b": [2], "a": 1})
    assert rules.inputs_label({"a": 1}) != rules.inputs_label({"a": "1"})
    assert rules.inputs_label(None) is None
    assert "secret" not in rules.inputs_label("secret")
    assert len(rules.inputs_label("x")) <= 63


def test_labels_of_people_and_of_the_collection_are_told_apart():
    labels = ["a", marks.new(NOW), "team=b", rules.inputs_label("x")]
    assert rules.shown(labels) == ["a", "team=b"]
    assert rules.own(labels) == labels[1::2]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("never", None),
        ("1970-01-02", DAY),
        ("1970-01-02T00:00:00Z", DAY),
        ("1970-01-02T01:00:00+01:00", DAY),
        ("1970-01-01 19:00-0500", DAY),
        ("1970-01-02t00:00:00.25z", DAY),
    ],
)
def test_ends_that_people_write(text, moment):
    assert rules.wanted_end(dict(OPTIONS, expires_on=text), None, False, NOW) == (True, moment)


@pytest.mark.parametrize("text", ["tomorrow", "19700102", "1970-W01-5", "1970-13-01", "1970-01-02T25:00", "0000-01-01"])
def test_an_end_that_is_none_is_refused_by_every_python(text):
    with pytest.raises(RequestRefused, match="no moment"):
        rules.wanted_end(dict(OPTIONS, expires_on=text), None, False, NOW)


def test_a_lifetime_counts_from_the_secret_and_clocks_may_differ():
    lives = dict(OPTIONS, lifetime="10d")
    assert rules.wanted_end(lives, None, False, NOW) == (True, NOW + 10 * DAY)
    old = {"creationTime": NOW - DAY, "expiresOn": NOW + 9 * DAY + 60_000}
    assert rules.wanted_end(lives, old, False, NOW) == (True, NOW + 9 * DAY + 60_000)
    assert rules.wanted_end(lives, dict(old, expiresOn=None), False, NOW) == (True, NOW + 9 * DAY)
    assert rules.wanted_end(lives, old, True, NOW) == (True, NOW + 10 * DAY)
    assert rules.wanted_end(OPTIONS, old, True, NOW) == (False, None)
