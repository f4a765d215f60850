"""Trust rules: patterns against an independent oracle, and the kinds of values that claims have."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.core.oauth.trust_rules import MAX_WORKLOAD, TrustRule, findings, valid_issuer, workload

letters = st.text(alphabet="ab*", min_size=1, max_size=8)
claims = st.text(alphabet="ab", max_size=12)


def rule(**patterns: tuple[str, ...]) -> TrustRule:
    return TrustRule("r", "u", "name", "https://i.example", "k", patterns, ("s",), "a", "A", 0)


def matches(pattern: str, value: object, claim: str = "teams") -> bool:
    found = findings(rule(**{claim: (pattern,)}), {claim.removeprefix("/"): value}, 0)
    return next(finding.passed for finding in found if finding.check == f"claim {claim}")


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
        valid_issuer(address)


def test_a_claim_that_says_whose_the_token_is_has_one_value() -> None:
    for claim in ("sub", "/sub", "repository", "project_path"):
        assert matches("acme/shop", "acme/shop", claim)
        assert not matches("acme/shop", ["evil/shop", "acme/shop"], claim)


def test_types_are_not_mixed_up() -> None:
    assert not matches("1", True)
    assert not matches("1", 1.0)
    assert not matches("True", True)
    assert not matches("acme", {"acme": True})
    assert not matches("\u00e9", "e\u0301")  # what looks alike is not the same


def test_times_may_be_a_minute_apart() -> None:
    def times(now: int, **values: object) -> list[bool]:
        found = {finding.check: finding.passed for finding in findings(rule(), dict(values), now)}
        return [found["expiry"], found["beginning"]]

    assert times(1_000_000, exp=1_000, nbf=1_000) == [True, True]
    assert times(1_059_999, exp=1_000, nbf=1_000) == [True, True]
    assert times(1_060_000, exp=1_000, nbf=1_000) == [False, True]
    assert times(939_999, exp=1_000, nbf=1_000) == [True, False]
    assert times(0) == [False, True]
    for never in (float("inf"), float("nan"), True, "9999999999", 10**400, -(10**400)):
        assert times(0, exp=never) == [False, True]


class TestTheNameOfAJobInTheAuditLog:
    def test_is_its_subject(self) -> None:
        assert workload({"sub": "repo:acme/shop:ref:refs/heads/main"}) == "repo:acme/shop:ref:refs/heads/main"
        assert [workload({"sub": subject}) for subject in (None, "", 7, ["a"], {"a": "b"})] == [None] * 5

    def test_is_bounded_and_keeps_its_beginning_and_its_end(self) -> None:
        named = workload({"sub": f"arn:aws:iam::123456789012:role/{'a' * 5000}/deploy"}) or ""
        assert (len(named), named[:30], named[-7:]) == (MAX_WORKLOAD, "arn:aws:iam::123456789012:role", "/deploy")
        assert workload({"sub": "a" * MAX_WORKLOAD}) == "a" * MAX_WORKLOAD

    def test_is_one_line_that_reads_as_it_is_written(self) -> None:
        assert workload({"sub": "a\r\nb\u202ec\x1b[2J"}) == "a\ufffd\ufffdb\ufffdc\ufffd[2J"
