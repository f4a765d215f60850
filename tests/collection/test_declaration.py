"""What has to change."""

import itertools
from typing import Any

import pytest

from tests.collection import conftest as _importable  # noqa: F401 - it makes the collection importable

from ansible_collections.keyturn.hub.plugins.module_utils.declaration import (  # isort: skip
    about,
    changes,
    same_services,
    same_value,
)

CI = {"id": "1", "key": "ci", "name": "Build server"}
DEPLOY = {"id": "2", "key": "deploy", "name": "Deployment"}
HUB = {"id": "3", "name": "Hub without keys"}


def test_only_what_is_wanted_and_different_changes() -> None:
    assert changes({"a": 1, "b": None, "c": 3, "d": False}, {"a": 1, "b": 2, "c": 2, "d": True}) == {"c": 3, "d": False}


@pytest.mark.parametrize(
    ("wanted", "existing", "same"),
    [
        (["ci"], [CI], True),
        (["1"], [CI], True),
        (["Build server"], [CI], True),
        (["deploy", "ci"], [CI, DEPLOY], True),
        (["ci", "1", "deploy"], [CI, DEPLOY], True),
        (["Hub without keys"], [HUB], True),
        (["ci"], [CI, DEPLOY], False),
        (["ci", "deploy"], [CI], False),
        (["other"], [CI], False),
        ([], [CI], False),
        ([], [], True),
    ],
)
def test_services_are_compared_as_sets_whatever_they_are_called(
    wanted: list[str], existing: list[dict[str, Any]], same: bool
) -> None:
    assert same_services(wanted, existing) == same


def test_every_choice_of_names_and_services() -> None:
    for size in range(3):
        for wanted in itertools.product([CI, DEPLOY], repeat=size):
            for existing in ([], [CI], [DEPLOY], [CI, DEPLOY]):
                names = [service["key"] for service in wanted]
                expected = {service["id"] for service in wanted} == {service["id"] for service in existing}
                assert same_services(names, existing) == expected


def test_what_a_task_says_is_compared_as_the_server_keeps_it() -> None:
    said = {"description": " e\u0301 ", "contact": None, "labels": ["b", "a", "b"], "networks": ["10.0.0.1", "x"]}
    assert about(said) == {
        "description": "\u00e9",
        "labels": ["b", "a"],
        "networks": ["10.0.0.1/32", "x"],
    }


def test_nothing_is_as_good_as_empty_and_order_does_not_matter() -> None:
    assert same_value("", None)
    assert same_value([], None)
    assert same_value(["a", "b"], ["b", "a"])
    assert not same_value(["a"], ["a", "b"])
    assert not same_value("x", None)
