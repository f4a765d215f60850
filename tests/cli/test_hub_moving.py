"""Rules of a move from Hub that need no server."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from keyturn_cli.hub.moving import parents_first, service_key

from chalicelib.core.common.validation import KEY_FORM


@given(st.text(min_size=1, max_size=60), st.none() | st.text(max_size=60))
def test_a_service_gets_a_key_that_keyturn_takes(name: str, key: str | None) -> None:
    assert re.fullmatch(KEY_FORM, service_key({"id": "1d-2", "name": name, "key": key}), re.ASCII)


def test_a_good_key_stays() -> None:
    assert service_key({"id": "1", "name": "Wiki", "key": "wiki.v2"}) == "wiki.v2"


def test_no_key_has_the_form_of_an_id() -> None:
    assert service_key({"id": "1d-2", "name": "Wiki", "key": "Ab3456789012"}) == "Wiki"


@given(st.lists(st.none() | st.integers(0, 9), max_size=8))
def test_a_group_comes_after_its_parent_whatever_hub_says(parents: list[int | None]) -> None:
    """Also if parents are missing or go round in a circle, which Hub should not allow."""
    groups: list[dict[str, Any]] = [
        {"id": str(number), "parent": None if parent is None else {"id": str(parent)}}
        for number, parent in enumerate(parents)
    ]
    ordered = [int(group["id"]) for group in parents_first(groups)]
    assert sorted(ordered) == list(range(len(parents)))
    for number, parent in enumerate(parents):
        if parent is not None and parent < len(parents) and not _in_a_circle(parents, number):
            assert ordered.index(parent) < ordered.index(number)


def _in_a_circle(parents: list[int | None], number: int) -> bool:
    """Or below one."""
    seen: set[int] = set()
    current: int | None = number
    while current is not None and current < len(parents):
        if current in seen:
            return True
        seen.add(current)
        current = parents[current]
    return False
