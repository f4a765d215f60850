"""What a login asks of the database: as much for a login that nobody has."""

from __future__ import annotations

from unittest.mock import patch

import argon2
import pytest

from chalicelib.core.errors import LoginRefused
from chalicelib.storage.quick_read import QuickReader
from chalicelib.storage.table import connection
from tests.conftest import Scene
from tests.people import Person, person


@pytest.fixture
def jo(scene: Scene) -> Person:
    return person(scene)


@pytest.mark.parametrize("login", ["jo", "nobody", "what can be no login " * 200])
def test_an_unknown_login_costs_what_a_wrong_password_costs(jo: Person, login: str) -> None:
    """As many round trips to the database, and as much Argon2."""
    trips: list[str] = []

    def answered(model: object, **_: object) -> None:
        trips.append(model.name)  # type: ignore[attr-defined]

    def quickly(reader: QuickReader, request: object) -> object:
        trips.append("BatchGetItem")
        return ask(reader, request)

    events, ask = connection().client.meta.events, QuickReader.ask
    verify = argon2.PasswordHasher.verify
    with (
        patch.object(argon2.PasswordHasher, "verify", autospec=True, side_effect=verify) as computed,
        patch.object(QuickReader, "ask", quickly),
    ):
        events.register("after-call.dynamodb", answered)
        with pytest.raises(LoginRefused):
            jo.attempt(login=login, password="wrong horse")
        events.unregister("after-call.dynamodb", answered)
    assert trips == ["GetItem", "UpdateItem", "UpdateItem", "UpdateItem", "GetItem", "BatchGetItem", "UpdateItem"]
    assert computed.call_count == 1
