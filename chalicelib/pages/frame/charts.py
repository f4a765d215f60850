"""Where things stand in the drawings of *Token health* and of rotation; the templates draw them.

Age and last use are drawn on a logarithmic scale: an hour and a year have to fit into one picture.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from chalicelib.core.common.time import DAY_MS
from chalicelib.core.tokens.health import IDLE_MS, Condition, condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import Secrets
    from chalicelib.core.tokens.manage import OwnedToken

HOUR_MS = 3600 * 1000
TICKS = ((HOUR_MS, "1 h"), (DAY_MS, "1 d"), (7 * DAY_MS, "1 w"), (30 * DAY_MS, "1 mo"), (365 * DAY_MS, "1 y"))
YOUNGEST, OLDEST = HOUR_MS / 2, 3 * 365 * DAY_MS
MARGIN = 12  # within the frame, so that no mark is cut off
MOST_DOTS = 500
TIMELINE_WIDTH = 720.0
WEEKS = 27  # approvals and unused refresh tokens end within 180 days


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of the picture in which dots can be, in its own units; above it is the band of what was never used."""

    left: float = 48
    right: float = 704
    top: float = 64
    bottom: float = 300
    band: float = 28  # the middle of the band

    def x(self, age: float) -> float:
        """Where this age is."""
        return self.left + MARGIN + (self.right - self.left - 2 * MARGIN) * _share(age)

    def y(self, unused: float | None) -> float:
        """Where it is not to have been used for so long; None: ever."""
        return (
            self.band
            if unused is None
            else self.bottom - MARGIN - (self.bottom - self.top - 2 * MARGIN) * _share(unused)
        )


class Dot(NamedTuple):
    """A token in the picture."""

    x: float
    y: float
    condition: Condition
    owned: OwnedToken


class Tick(NamedTuple):
    """A line across the picture, with what stands beside it."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Scatter:
    """Tokens by age (to the right) and by the time for which they were not used (upwards)."""

    frame: Frame
    dots: Sequence[Dot]
    left_out: int
    ages: Sequence[Tick]
    pauses: Sequence[Tick]
    idle_from: float


def scatter(tokens: Sequence[OwnedToken], now: int) -> Scatter:
    """The picture of these tokens; of very many, those that were not used for the longest time."""
    frame = Frame()
    wanted = sorted(tokens, key=lambda owned: owned.token.last_used or 0)[:MOST_DOTS]
    beside: Counter[tuple[int, int]] = Counter()
    dots = []
    for owned in wanted:
        token = owned.token
        x = frame.x(now - token.created)
        y = frame.y(None if token.last_used is None else now - token.last_used)
        place = round(x / 12), round(y / 12)
        dx, dy = _aside(beside[place])
        beside[place] += 1
        dots.append(Dot(round(x + dx, 1), round(y + dy, 1), condition(token, now), owned))
    ages = [Tick(round(frame.x(age), 1), label) for age, label in TICKS]
    pauses = [Tick(round(frame.y(age), 1), label) for age, label in TICKS]
    return Scatter(frame, dots, len(tokens) - len(dots), ages, pauses, round(frame.y(IDLE_MS), 1))


class End(NamedTuple):
    """Something that ends, at `at` in milliseconds since the epoch, and the page where it is."""

    at: int
    name: str
    address: str


class Day(NamedTuple):
    """A day of the calendar: its column, its row (Monday is 0), and what ends on it."""

    column: int
    row: int
    day: datetime.date
    ends: Sequence[End]


def calendar(ends: Iterable[End], now: int) -> Sequence[Day]:
    """The days from this week's Monday on, for 27 weeks. In UTC."""
    today = _date(now)
    monday = today - datetime.timedelta(days=today.weekday())
    by_day: dict[datetime.date, list[End]] = {}
    for end in ends:
        by_day.setdefault(_date(end.at), []).append(end)
    days = [monday + datetime.timedelta(days=number) for number in range(7 * WEEKS)]
    return [Day(number // 7, number % 7, day, by_day.get(day, [])) for number, day in enumerate(days)]


class Bar(NamedTuple):
    """The life of one secret in the timeline: its place, and its end, None for the current one."""

    left: float
    width: float
    row: int
    since: int
    until: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The secrets of a token or service that are good, from the left to the right; `now` is where we are."""

    bars: Sequence[Bar]
    now: float


def timeline(secrets: Secrets[HashedSecret], now: int, ends: int | None = None) -> Timeline | None:
    """How the secrets overlap; None while there is one alone, or since all of them ended, at `ends`. The half to the
    right is what is to come."""
    valid_secrets = secrets.valid_previous(now)
    if not valid_secrets or (ends is not None and now >= ends):
        return None
    spans = [(each.since, min(each.until, ends or each.until)) for each in valid_secrets]
    past = max(1, now - min(since for since, _ in spans))
    coming = max(until for _, until in spans) - now
    middle, end = TIMELINE_WIDTH * 0.4, TIMELINE_WIDTH * 0.9

    def x(moment: int) -> float:
        if moment < now:
            return middle - middle * (now - moment) / past
        return middle + (end - middle) * (moment - now) / coming

    bars = [
        Bar(round(x(since), 1), round(x(until) - x(since), 1), row, since, until)
        for row, (since, until) in enumerate(spans)
    ]
    left = x(secrets.since)
    last = Bar(round(left, 1), round(TIMELINE_WIDTH - left, 1), len(bars), secrets.since, None)
    return Timeline([*bars, last], round(middle, 1))


def _date(milliseconds: int) -> datetime.date:
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC).date()


def _share(age: float) -> float:
    """From 0 for half an hour or less to 1 for three years or more."""
    bounded = min(max(age, YOUNGEST), OLDEST)
    return math.log(bounded / YOUNGEST) / math.log(OLDEST / YOUNGEST)


def _aside(number: int) -> tuple[float, float]:
    """How far the next dot at the same place moves aside: on a spiral, so that each can be seen and clicked."""
    angle, distance = number * 2.4, 7 * math.sqrt(number)
    return distance * math.cos(angle), distance * math.sin(angle) * 0.6
