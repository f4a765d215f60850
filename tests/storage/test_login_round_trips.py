"""What a login asks of the database: as much for a login that nobody has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import argon2
import pytest
from fido2.utils import websafe_encode

from chalicelib.core.common.errors import LoginRefused
from chalicelib.core.common.identifiers import new_id
from chalicelib.storage.engine.batch_get import BatchGetClient
from chalicelib.storage.engine.table import connection
from tests.conftest import Scene
from tests.people import Person, person


@pytest.fixture
def jo(scene: Scene) -> Person:
    return person(scene)


@contextmanager
def recorded() -> Iterator[list[str]]:
    """The round trips to the database that are made inside."""
    trips: list[str] = []

    def answered(model: object, **_: object) -> None:
        trips.append(model.name)  # type: ignore[attr-defined]

    def counted_batch_get(reader: BatchGetClient, request: object) -> object:
        trips.append("BatchGetItem")
        return call(reader, request)

    events, call = connection().client.meta.events, BatchGetClient.call
    with patch.object(BatchGetClient, "call", counted_batch_get):
        events.register("after-call.dynamodb", answered)
        try:
            yield trips
        finally:
            events.unregister("after-call.dynamodb", answered)


@pytest.mark.parametrize("login", ["jo", "nobody", "what can be no login " * 200])
def test_an_unknown_login_costs_what_a_wrong_password_costs(jo: Person, login: str) -> None:
    """As many round trips to the database, and as much Argon2."""
    verify = argon2.PasswordHasher.verify
    with (
        patch.object(argon2.PasswordHasher, "verify", autospec=True, side_effect=verify) as computed,
        recorded() as trips,
        pytest.raises(LoginRefused),
    ):
        jo.attempt(login=login, password="wrong horse")
    assert trips == [
        "BatchGetItem",
        "UpdateItem",
        "UpdateItem",
        "UpdateItem",
        "BatchGetItem",
        "BatchGetItem",
        "UpdateItem",
    ]
    assert computed.call_count == 1


@pytest.mark.parametrize("login", ["jo", "nobody", "what can be no login " * 200])
def test_nor_is_it_told_by_a_passkey(jo: Person, login: str) -> None:
    with recorded() as trips, pytest.raises(LoginRefused):
        jo.attempt(login=login, password=None, passkey={})
    assert trips == ["BatchGetItem", "UpdateItem", "UpdateItem", "BatchGetItem", "BatchGetItem", "UpdateItem"]


@pytest.mark.parametrize("known", [True, False])
def test_nor_by_one_that_says_whose_it_is(jo: Person, known: bool) -> None:
    handle = websafe_encode((jo.user.id if known else new_id()).encode())
    with recorded() as trips, pytest.raises(LoginRefused):
        jo.attempt(login=None, password=None, passkey={"response": {"userHandle": handle}})
    assert trips == [
        "BatchGetItem",
        "BatchGetItem",
        "UpdateItem",
        "UpdateItem",
        "BatchGetItem",
        "BatchGetItem",
        "UpdateItem",
    ]
