"""What policies mean for a token, as a calculation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.access.token_policy import SILENT, Consequence, Policy, stricter, strictest
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.tokens.expiry_notices import notices
from chalicelib.core.tokens.expiry_projection import project_expiry
from chalicelib.core.tokens.health import Flag, token_flags
from chalicelib.core.tokens.token import PermanentToken
from tests.core.tokens.test_rotation import hashed

TOKEN = PermanentToken("t", "u", "n", ("a",), "u", "U", 0, hashed(0))
DISABLE = Policy(unused_days=10, unused=Consequence.DISABLE)


@pytest.mark.parametrize("field", ["longest_life_days", "rotation_due_days", "unused_days"])
@pytest.mark.parametrize("days", [0, -1, 3_651])
def test_days_have_their_bounds(field: str, days: int) -> None:
    with pytest.raises(Invalid, match="must be a whole number of days from 1 to 3650"):
        Policy(**{field: days})


@pytest.mark.parametrize(
    ("field", "wrong"),
    [("unused", Consequence.REVOKE), ("reused", Consequence.DISABLE), ("leaked", Consequence.DISABLE)],
)
def test_only_what_makes_sense_can_follow(field: str, wrong: Consequence) -> None:
    with pytest.raises(Invalid, match=field):
        Policy(**{field: wrong})


def test_a_life_begins_with_each_secret() -> None:
    policy = Policy(longest_life_days=30, rotation_due_days=20)
    assert (project_expiry(TOKEN, [policy]).ends, project_expiry(TOKEN, [policy]).rotation_due) == (
        30 * DAY_MS,
        20 * DAY_MS,
    )
    renewed = TOKEN.rotated_to(hashed(1), DAY_MS, 5 * DAY_MS)
    assert (project_expiry(renewed, [policy]).ends, project_expiry(renewed, [policy]).rotation_due) == (
        35 * DAY_MS,
        25 * DAY_MS,
    )


def test_of_several_policies_each_holds() -> None:
    policies = [Policy(longest_life_days=30, unused_days=3), Policy(longest_life_days=20), DISABLE]
    projection = project_expiry(replace(TOKEN, expires=25 * DAY_MS), policies)
    assert (projection.ends, projection.unused, projection.disabled, projection.refused) == (
        20 * DAY_MS,
        3 * DAY_MS,
        10 * DAY_MS,
        10 * DAY_MS,
    )
    assert project_expiry(TOKEN, []).refused is None


def test_a_use_or_a_rotation_puts_off_being_unused() -> None:
    assert project_expiry(replace(TOKEN, last_used=4 * DAY_MS), [DISABLE]).disabled == 14 * DAY_MS
    assert project_expiry(TOKEN.rotated_to(hashed(1), 0, 6 * DAY_MS), [DISABLE]).disabled == 16 * DAY_MS


def test_flags_come_at_their_moments() -> None:
    policies = [Policy(longest_life_days=30, rotation_due_days=20, unused_days=5), DISABLE]

    def flags(day: float) -> set[Flag]:
        return set(token_flags(TOKEN, policies, round(day * DAY_MS)).flags)

    assert flags(4.9) == set()
    assert flags(5) == {Flag.UNUSED}
    assert flags(10) == {Flag.UNUSED, Flag.DISABLED}
    assert flags(20) == {Flag.UNUSED, Flag.DISABLED, Flag.ROTATION_DUE}
    assert flags(30) == {Flag.UNUSED, Flag.DISABLED, Flag.ROTATION_DUE, Flag.EXPIRED}


def test_revoking_wins() -> None:
    flag, revoke = Consequence.FLAG, Consequence.REVOKE
    assert strictest([flag, flag]) is flag
    assert strictest([flag, revoke, flag]) is revoke


def test_who_is_silent_wants_what_leaked_to_be_revoked_and_nothing_else() -> None:
    assert (SILENT.leaked, SILENT.reused) == (Consequence.REVOKE, Consequence.FLAG)
    assert project_expiry(TOKEN, [SILENT]) == project_expiry(TOKEN, [])


def test_notices_are_known_by_the_moment_that_they_are_about() -> None:
    """Another end is another thing to tell."""
    first = {notice.key for notice in notices(project_expiry(replace(TOKEN, expires=40 * DAY_MS), []), (30, 7, 1))}
    second = {notice.key for notice in notices(project_expiry(replace(TOKEN, expires=41 * DAY_MS), []), (30, 7, 1))}
    assert len(first) == len(second) == 4
    assert not first & second


POLICIES = (
    None,
    Policy(),
    Policy(1, None, 3),
    Policy(9, 9, 9, Consequence.DISABLE),
    Policy(reused=Consequence.REVOKE),
    Policy(leaked=Consequence.FLAG),
)


@pytest.mark.parametrize("one", POLICIES)
@pytest.mark.parametrize("other", POLICIES)
def test_the_stricter_of_two_demands_what_each_does(one: Policy | None, other: Policy | None) -> None:
    both = stricter(one, other)
    assert both == stricter(other, one) == stricter(both, one) == stricter(both, other)
    assert stricter(one, one) == one


def test_it_has_the_fewer_days_and_the_graver_consequences() -> None:
    one, other = Policy(1, None, 9, unused=Consequence.DISABLE), Policy(2, 7, 3, reused=Consequence.REVOKE)
    assert stricter(one, other) == Policy(1, 7, 3, Consequence.DISABLE, Consequence.REVOKE, Consequence.REVOKE)


def test_where_there_was_no_policy_what_is_found_in_public_is_still_revoked() -> None:
    assert stricter(None, Policy(leaked=Consequence.FLAG)) == SILENT
