"""Read, decide, write on condition that nothing has changed meanwhile; if it has, once more.

Whatever takes long, such as a hash, is done before an attempt or remembered from the first, so that there is little
time in which somebody else can get in between.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, TypeVar

from chalicelib.core.common.errors import Changed, StaleWrite, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")

ATTEMPTS = 10  # each lost attempt means that another writer won, so work is always being done
# The longest that each pause between further attempts takes, in seconds: less than five in sum.
PAUSES = tuple(min(0.1, 0.002 * 2**number) for number in range(50))

pause: Callable[[float], None] = time.sleep  # tests put another in its place


def retry_on_conflict(attempt: Callable[[], T]) -> T:
    """The result of `attempt`, which reads and then writes, repeated while its writes are stale.

    Raises Unavailable when other writers won every time.
    """
    return _retry(attempt, [0.0] * (ATTEMPTS - 1))


def retry_persistently(attempt: Callable[[], T]) -> T:
    """As `retry_on_conflict`, for what takes something away, from somebody who may keep changing the same thing so that
    it stays: many more attempts, and between the later ones pauses of random length that nobody can keep step with."""
    return _retry(attempt, [*[0.0] * (ATTEMPTS - 1), *PAUSES])


def require_seen(seen: int | None, revision: int) -> None:
    """Raises Changed if what is there has another `revision` than what the caller has seen, if they say so."""
    if seen is not None and seen != revision:
        raise Changed


def _retry(attempt: Callable[[], T], longest_pauses: Iterable[float]) -> T:
    for longest in [*longest_pauses, None]:
        try:
            return attempt()
        except StaleWrite:
            if longest:
                pause(random.uniform(0, longest))
    raise Unavailable("Other requests are changing the same resource. Nothing was changed. Try again.")
