"""Lengths of time in requests: whole seconds, or the durations of ISO 8601 that have one length (no months)."""

from __future__ import annotations

import re

from chalicelib.core.common.errors import Invalid

_FORM = re.compile(
    r"P(?!$)((?P<weeks>[0-9]{1,6})W)?((?P<days>[0-9]{1,6})D)?"
    r"(T(?!$)((?P<hours>[0-9]{1,6})H)?((?P<minutes>[0-9]{1,6})M)?((?P<seconds>[0-9]{1,9})S)?)?",
    re.ASCII,
)
_SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
_MOST = 10**10  # seconds; more than any rule allows


def milliseconds(duration: int | str, field: str) -> int:
    """The length in milliseconds. Raises Invalid. Source: ISO 8601-1 section 5.5.2."""
    if isinstance(duration, int):
        seconds = duration
    else:
        parts = _FORM.fullmatch(duration)
        if parts is None:
            raise Invalid(field, "must be a whole number of seconds, or a duration such as PT36H or P7D.")
        seconds = sum(int(parts[name] or 0) * length for name, length in _SECONDS.items())
    if not 0 <= seconds <= _MOST:
        raise Invalid(field, "must not be negative.")
    return seconds * 1000
