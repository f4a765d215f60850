"""Lengths of time in requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.rest.contract.durations import milliseconds


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [(0, 0), (90, 90), ("PT0S", 0), ("PT36H", 129_600), ("P7D", 604_800), ("P1W", 604_800), ("P1DT2H3M4S", 93_784)],
)
def test_seconds_and_durations(duration: int | str, seconds: int) -> None:
    assert milliseconds(duration, "grace") == seconds * 1000


@pytest.mark.parametrize("duration", ["", "P", "PT", "P1DT", "1D", "P1M", "P1Y", "pt1h", "PT1.5H", "PT-1H", -1, "P٣D"])
def test_what_has_no_one_length_is_refused(duration: int | str) -> None:
    with pytest.raises(Invalid, match="grace"):
        milliseconds(duration, "grace")


@given(st.text(max_size=20))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        assert milliseconds(text, "grace") >= 0
    except Invalid as refusal:
        assert refusal.field == "grace"
