"""How much a test explores: little in the gate (`make test`), much in `make test-long`.

What each of the two proves is a table in docs/reference/testing.md.
"""

from __future__ import annotations

import os
from typing import TypeVar

import pytest

LONG = os.environ.get("KEYTURN_TEST_LONG") == "1"

only_long = pytest.mark.only_long
"""Marks a test that the gate leaves out: `tests/conftest.py` deselects it there."""


T = TypeVar("T", int, str)


def budget(gate: T, long: T) -> T:
    """How many examples, steps or requests this run spends; or what it runs on."""
    return long if LONG else gate
