"""Days as browsers write them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.time import DAY_MS
from chalicelib.pages.frame.days import beginning, day_of, end


@given(st.dates(datetime.date(1970, 1, 1)))
def test_a_day_is_as_long_as_a_day_and_comes_back_as_it_was(day: datetime.date) -> None:
    first, last = beginning(str(day), "to"), end(str(day), "to")
    assert first is not None
    assert last is not None
    assert (first % DAY_MS, last - first) == (0, DAY_MS - 1)
    assert day_of(first) == day_of(last) == str(day)


def test_no_day_is_none() -> None:
    assert (beginning("", "to"), end(None, "to"), day_of(None)) == (None, None, "")


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "2026-02-30", "26-1-1", "2026-1-1", "2026-01-01T00:00", "٢٠٢٦-01-01"]
)
def test_what_is_no_day_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match="to: must be a date such as 2026-11-25"):
        end(text, "to")
