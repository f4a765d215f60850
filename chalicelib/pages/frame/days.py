"""Days in forms and addresses, as browsers write them: `2026-11-25`, in UTC."""

from __future__ import annotations

import datetime
import re

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.time import DAY_MS

FORM = r"\d{4}-\d\d-\d\d"


def beginning(text: str | None, field: str) -> int | None:
    """The first millisecond of the day, since the epoch; None for no day. Raises Invalid."""
    if not text:
        return None
    try:
        if not re.fullmatch(FORM, text, re.ASCII):
            raise ValueError
        day = datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.UTC)
    except ValueError:
        raise Invalid(field, "must be a date such as 2026-11-25.") from None
    return max(0, int(day.timestamp() * 1000))


def end(text: str | None, field: str) -> int | None:
    """The last millisecond of the day, since the epoch; None for no day. Raises Invalid."""
    first = beginning(text, field)
    return None if first is None else first + DAY_MS - 1


def day_of(moment: int | None) -> str:
    """The day of a moment, as a form takes it; empty for none."""
    return "" if moment is None else datetime.datetime.fromtimestamp(moment / 1000, datetime.UTC).strftime("%Y-%m-%d")
