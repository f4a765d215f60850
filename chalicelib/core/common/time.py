"""Moments and spans of time, in milliseconds since the epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY_MS = 24 * 3600 * 1000


def rfc3339(milliseconds: int) -> str:
    """A time as text, in UTC, to the millisecond."""
    from datetime import UTC, datetime

    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def earliest(moments: Iterable[int | None]) -> int | None:
    """The first of these moments, or the fewest of these days; None if there is none."""
    return min((moment for moment in moments if moment is not None), default=None)
