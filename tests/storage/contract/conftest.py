"""Both implementations of the core's stores, each on a database that a module of tests shares, or that is a test's own.

Whoever adds a promise to a port adds a test here, and it has to hold for both: rules are tested in memory.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from chalicelib.core.stores import Stores
from chalicelib.storage.engine.table import TableAddress, connect
from chalicelib.storage.stores import DynamoStores
from tests import tables
from tests.engine import OwnDatabase
from tests.memory.stores import MemoryStores

IMPLEMENTATIONS = ("memory", "dynamodb")
Refused = Callable[..., AbstractContextManager[None]]
_numbers = itertools.count(1)


@contextmanager
def on_dynamodb(database: OwnDatabase) -> Iterator[TableAddress]:
    """This process is connected to a new table."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in database.environment.items():
            monkeypatch.setenv(name, value)
        address = TableAddress(f"contract-{next(_numbers)}", "us-east-1", database.url)
        connect(address)
        tables.create()
        yield address
        connect(address)
        tables.remove(address.name)


@contextmanager
def implementation(name: str, database: Callable[[], OwnDatabase]) -> Iterator[tuple[Stores, TableAddress | None]]:
    """Empty stores, and where they are if they are on DynamoDB."""
    if name == "memory":
        yield MemoryStores(), None
    else:
        with on_dynamodb(database()) as address:
            yield DynamoStores(), address


@pytest.fixture(scope="module", params=IMPLEMENTATIONS)
def shared_stores(request: pytest.FixtureRequest) -> Iterator[tuple[Stores, TableAddress | None]]:
    with implementation(request.param, lambda: request.getfixturevalue("database")) as made:
        yield made


@pytest.fixture
def stores(shared_stores: tuple[Stores, TableAddress | None]) -> Stores:
    """For tests that look at nothing but what they have made themselves."""
    stores, address = shared_stores
    if address:
        connect(address)
    return stores


@pytest.fixture(params=IMPLEMENTATIONS)
def empty_stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """For tests of whole collections."""
    with implementation(request.param, lambda: request.getfixturevalue("database")) as (stores, _):
        yield stores


def everything(stores: Stores) -> Any:
    """All that is stored, to be compared with what is stored later."""
    if isinstance(stores, MemoryStores):
        return dict(stores.database.things), list(stores.database.records)
    return sorted(map(repr, tables.copy()))


@contextmanager
def refused(stores: Stores, *errors: type[Exception]) -> Iterator[None]:
    """It raises one of these, and has written nothing at all: no name, no count, no audit record, no event."""
    before = everything(stores)
    with pytest.raises(errors):
        yield
    assert everything(stores) == before
