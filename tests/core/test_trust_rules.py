"""Trust rules: patterns against an independent oracle, and conditions that say something."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.errors import Invalid
from chalicelib.core.trust_rules import TrustRule, conditions, findings, issuer

letters = st.text(alphabet="ab*", min_size=1, max_size=8)
claims = st.text(alphabet="ab", max_size=12)


def rule(**patterns: tuple[str, ...]) -> TrustRule:
    return TrustRule("r", "u", "name", "https://i.example", "k", patterns, ("s",), "a", "A", 0)


def matches(pattern: str, value: object) -> bool:
    found = findings(rule(sub=(pattern,)), {"sub": value}, 0)
    return next(finding.passed for finding in found if finding.check == "claim sub")


@given(pattern=letters, value=claims)
def test_patterns_match_like_a_shell(pattern: str, value: str) -> None:
    assert matches(pattern, value) == fnmatch.fnmatchcase(value, pattern)


@given(value=st.text(max_size=30))
def test_nothing_but_the_star_is_special(value: str) -> None:
    if value and "*" not in value:
        assert matches(value, value)
        assert not matches(value, value + "x")


def test_other_values_than_texts() -> None:
    assert matches("true", True)
    assert matches("42", 42)
    assert matches("b", ["a", "b"])
    for value in (None, [], {}, {"a": "b"}, 1.5, [["a"]]):
        assert not matches("*", value)


def test_a_hostile_claim_costs_no_time() -> None:
    """A regular expression would try for years."""
    assert not matches("*a*a*a*a*a*a*a*a*a*ab", "a" * 16_000)


@pytest.mark.parametrize(
    "address", ["http://x", "https://", "https://x?y", "https://x#y", "https://u@x", "https://[::::]", "x", ""]
)
def test_an_issuer_is_a_plain_https_address(address: str) -> None:
    with pytest.raises(Invalid, match="issuer"):
        issuer(address)


@pytest.mark.parametrize(
    "wide", [{}, {"iss": ["x"]}, {"sub": ["*"]}, {"sub": ["**", "a"]}, {"aud": ["k"], "exp": ["1"]}]
)
def test_conditions_have_to_say_whose_token_it_is(wide: dict[str, list[str]]) -> None:
    with pytest.raises(Invalid, match="conditions"):
        conditions(wide)


def test_times_may_be_a_minute_apart() -> None:
    def times(now: int, **values: object) -> list[bool]:
        return [finding.passed for finding in findings(rule(), dict(values), now)[2:4]]

    assert times(1_000_000, exp=1_000, nbf=1_000) == [True, True]
    assert times(1_059_999, exp=1_000, nbf=1_000) == [True, True]
    assert times(1_060_000, exp=1_000, nbf=1_000) == [False, True]
    assert times(939_999, exp=1_000, nbf=1_000) == [True, False]
    assert times(0) == [False, True]
