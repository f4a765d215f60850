"""How long a refused login takes, in every HTTP layer."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import LoginRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

# A refusal waits for the next multiple of this: what is read of an account that exists takes half a
# millisecond longer to read, and that must not be measurable (benchmarks/login_timing.py).
REFUSAL_SECONDS = 0.25


@contextmanager
def evenly_refused() -> Iterator[None]:
    """A refused login takes a time that tells nothing."""
    began = time.monotonic()
    try:
        yield
    except LoginRefused:
        time.sleep(-(time.monotonic() - began) % REFUSAL_SECONDS)
        raise
