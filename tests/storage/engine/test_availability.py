"""A database that does not answer is a refusal with a remedy, not a stack trace."""

import pytest
from botocore.exceptions import ConnectionClosedError
from pynamodb.exceptions import UpdateError

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.common.errors import Unavailable
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.settings import Settings
from chalicelib.storage.engine.conditional_failures import condition_failed, error_code
from embedded.processes import free_port
from tests.conftest import TAG_KEYS, Scene, origin
from tests.cutting import Cut, CuttingProxy


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


@pytest.mark.parametrize("cut", Cut)
def test_a_token_is_good_though_its_use_could_not_be_recorded(scene: Scene, proxy: CuttingProxy, cut: Cut) -> None:
    reading, forever = 1, 100
    proxy.begin(dict.fromkeys(range(reading, forever), cut))
    assert scene.is_good(scene.token.secret)
    assert proxy.number > reading  # it was tried


def test_a_lost_connection_is_no_refusal_of_the_database() -> None:
    """PynamoDB's own property fails with an AttributeError here."""
    lost = UpdateError(cause=ConnectionClosedError(endpoint_url="http://127.0.0.1"))
    assert error_code(lost) is None
    assert not condition_failed(lost)
