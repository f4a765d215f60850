"""A database that does not answer is a refusal with a remedy, not a stack trace."""

import pytest

from chalicelib.composition import Keyturn
from chalicelib.core.credentials.wire_format import CredentialKind
from chalicelib.core.errors import Unavailable
from chalicelib.core.identifiers import new_id
from chalicelib.settings import Settings
from embedded.processes import free_port
from tests.conftest import TAG_KEYS, origin


@pytest.fixture
def without_database(monkeypatch: pytest.MonkeyPatch) -> Keyturn:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    endpoint = f"http://127.0.0.1:{free_port()}"
    return Keyturn(Settings.from_environment({"KEYTURN_DYNAMODB_ENDPOINT": endpoint, "KEYTURN_TAG_KEYS": TAG_KEYS}))


def test_reading_and_writing_say_so(without_database: Keyturn) -> None:
    with pytest.raises(Unavailable, match="did not answer"):
        without_database.authentication.caller(CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id()), origin())
    with pytest.raises(Unavailable, match="did not answer") as refusal:
        without_database.first_administrator.issue("admin", origin())
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None
