"""Rules are tested without a database: the stores are in this process's memory (see `tests/memory`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.settings import Settings
from tests.conftest import Scene, configure, set_scene
from tests.memory.stores import MemoryStores


@pytest.fixture
def product(signing_keys: Path, monkeypatch: pytest.MonkeyPatch) -> Keyturn:
    """Keyturn with nothing in it."""
    configure(signing_keys, monkeypatch)
    return Keyturn(Settings.from_environment(os.environ), MemoryStores())


@pytest.fixture
def scene(product: Keyturn) -> Scene:
    """A small installation to act in."""
    return set_scene(product)


@pytest.fixture
def stores() -> MemoryStores:
    """Stores with nothing in them, for what needs no more of Keyturn."""
    return MemoryStores()
