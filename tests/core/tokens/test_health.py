"""Which tokens deserve a look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.tokens.health import IDLE_MS, NEW_MS, Condition, condition, unused_scope
from chalicelib.core.tokens.token import PermanentToken

NOW = 10 * IDLE_MS


def token(age: int = 0, unused: int | None = None, used_at: frozenset[str] = frozenset()) -> PermanentToken:
    """Made `age` milliseconds ago, used `unused` milliseconds ago."""
    return PermanentToken(
        id="t",
        user_id="u",
        name="night",
        scope=("a", "b", "c"),
        author_id="u",
        author_name="U",
        created=NOW - age,
        secret=HashedSecret("", b"", ""),
        last_used=None if unused is None else NOW - unused,
        used_at=used_at,
    )


@pytest.mark.parametrize(
    ("age", "unused", "expected"),
    [
        (0, None, Condition.NEW),
        (NEW_MS - 1, None, Condition.NEW),
        (NEW_MS, None, Condition.NEVER_USED),
        (NEW_MS, 0, Condition.IN_USE),
        (IDLE_MS, IDLE_MS - 1, Condition.IN_USE),
        (IDLE_MS, IDLE_MS, Condition.IDLE),
    ],
)
def test_a_token_is_new_then_used_idle_or_neither(age: int, unused: int | None, expected: Condition) -> None:
    assert condition(token(age, unused), NOW) is expected


@given(st.frozensets(st.sampled_from("abcd")))
def test_a_scope_is_as_wide_as_its_use_or_wider(used_at: frozenset[str]) -> None:
    assert set(unused_scope(token(IDLE_MS, 0, used_at))) == {"a", "b", "c"} - used_at


def test_a_token_that_was_never_used_tells_nothing_of_its_scope() -> None:
    assert unused_scope(token(IDLE_MS)) == ()


@pytest.mark.parametrize("unused", [None, 0])
def test_a_token_whose_end_has_come_is_expired_whatever_its_use(unused: int | None) -> None:
    assert condition(replace(token(IDLE_MS, unused), expires=NOW), NOW) is Condition.EXPIRED
    assert condition(replace(token(IDLE_MS, unused), expires=NOW + 1), NOW) is not Condition.EXPIRED
