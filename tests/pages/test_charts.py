"""Where marks and days stand in the drawings."""

from __future__ import annotations

import datetime
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.secrets.previous_secrets import PreviousSecret
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.pages.frame.charts import MOST_DOTS, TIMELINE_WIDTH, WEEKS, End, Frame, calendar, scatter, timeline
from tests.core.tokens.test_health import NOW, token

ME = User("u", "me", "Me", AccountType.BOT, 0)
AGES = st.integers(0, 5 * 365 * DAY_MS)


@given(AGES, AGES)
def test_the_older_the_further_right_and_the_longer_unused_the_higher(one: int, other: int) -> None:
    frame = Frame()
    younger, older = sorted((one, other))
    assert frame.left < frame.x(younger) <= frame.x(older) < frame.right
    assert frame.bottom > frame.y(younger) >= frame.y(older) > frame.top > frame.y(None)


@given(st.lists(st.tuples(AGES, st.none() | AGES), max_size=40))
def test_every_token_has_a_mark_of_its_own_place(ages: list[tuple[int, int | None]]) -> None:
    drawn = scatter([OwnedToken(token(age, unused), ME) for age, unused in ages], NOW)
    assert len(drawn.dots) == len(ages)
    assert len({(dot.x, dot.y) for dot in drawn.dots}) == len(ages)


def test_of_very_many_those_that_were_not_used_for_the_longest_time_are_drawn() -> None:
    used = [OwnedToken(replace(token(DAY_MS, 0), id=f"used{number}"), ME) for number in range(MOST_DOTS)]
    unused = [OwnedToken(replace(token(DAY_MS), id=f"unused{number}"), ME) for number in range(10)]
    drawn = scatter([*used, *unused], NOW)
    assert (len(drawn.dots), drawn.left_out) == (MOST_DOTS, 10)
    assert {dot.owned.token.id for dot in drawn.dots} >= {owned.token.id for owned in unused}


@given(st.integers(NOW, NOW + 400 * DAY_MS), st.integers(0, 300 * DAY_MS))
def test_the_calendar_begins_with_this_week_and_shows_what_ends_on_its_day(now: int, later: int) -> None:
    days = calendar([End(now + later, "something", "/there")], now)
    assert (len(days), days[0].day.weekday(), days[0].row, days[0].column) == (7 * WEEKS, 0, 0, 0)
    assert datetime.timedelta(0) <= today(now) - days[0].day < datetime.timedelta(7)
    shown = [day for day in days if day.ends]
    assert [day.day for day in shown] == [today(now + later)] * (today(now + later) <= days[-1].day)
    assert all(day.day.weekday() == day.row for day in days)


def today(now: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(now / 1000, datetime.UTC).date()


@given(st.lists(st.tuples(st.integers(1, 50 * DAY_MS), st.integers(1, 50 * DAY_MS)), min_size=1, max_size=9))
def test_the_timeline_shows_every_secret_that_is_good_on_both_sides_of_now(spans: list[tuple[int, int]]) -> None:
    previous_secrets = tuple(
        PreviousSecret(HashedSecret("", b"", ""), NOW - before, NOW + after) for before, after in spans
    )
    rotated = replace(token(60 * DAY_MS), rotated=NOW, previous_secrets=previous_secrets)
    drawn = timeline(rotated.secrets, NOW)
    assert drawn
    assert [bar.until for bar in drawn.bars] == [each.until for each in previous_secrets] + [None]
    for bar in drawn.bars[:-1]:
        assert 0 <= bar.left <= drawn.now <= round(bar.left + bar.width, 1) < TIMELINE_WIDTH
    assert round(drawn.bars[-1].left + drawn.bars[-1].width, 1) == TIMELINE_WIDTH


def test_with_one_secret_there_is_no_timeline() -> None:
    over = (PreviousSecret(HashedSecret("", b"", ""), NOW - 2, NOW),)
    assert timeline(replace(token(), rotated=NOW - 1, previous_secrets=over).secrets, NOW) is None
