"""How much a test explores: little in the gate (`make test`), much in `make test-long`.

What each of the two proves is a table in docs/testing.md.
"""

from __future__ import annotations

import os

import pytest

LONG = os.environ.get("KEYTURN_TEST_LONG") == "1"

only_long = pytest.mark.only_long
"""Marks a test that the gate leaves out: `tests/conftest.py` deselects it there."""


def budget(gate: int, long: int) -> int:
    """How many examples, steps or requests this run spends."""
    return long if LONG else gate
