"""Read, decide, write on condition that nothing has changed meanwhile; if it has, once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from chalicelib.core.errors import StaleWrite, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

ATTEMPTS = 10  # each lost attempt means that another writer won, so work is always being done


def until_current(attempt: Callable[[], T]) -> T:
    """The result of `attempt`, which reads and then writes, repeated while its writes are stale.

    Raises Unavailable when other writers won every time.
    """
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except StaleWrite:
            continue
    raise Unavailable("Others are changing the same thing at the moment. Nothing was changed; try again.")
