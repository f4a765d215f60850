"""An installation that has no address, or no key to sign with, says so, and goes on with everything else."""

from __future__ import annotations

import pytest

from chalicelib.composition.keyturn import keyturn
from tests.conftest import Scene
from tests.oauth.calling import call, token_request
from tests.rest.calling import introspect

JWT = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"  # pragma: allowlist secret


@pytest.fixture
def without(scene: Scene, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Scene:
    """The scene, where a setting is missing."""
    monkeypatch.delenv(request.param)
    keyturn.cache_clear()
    return scene


@pytest.mark.parametrize("without", ["KEYTURN_ADDRESS", "KEYTURN_SIGNING_KEYS_FILE"], indirect=True)
def test_no_access_token_is_issued_or_believed(without: Scene) -> None:
    client = (without.ci.service.id, without.ci.secret)
    refused = token_request(client, grant_type="client_credentials")
    assert (refused.status, refused.json["error"]) == (409, "conflict")
    assert "KEYTURN_ADDRESS" in refused.text or "chalicelib.signing" in refused.text
    assert introspect(*client, JWT).json == {"active": False}
    assert introspect(*client, without.token.secret or "").json["active"] is True


@pytest.mark.parametrize("without", ["KEYTURN_ADDRESS"], indirect=True)
def test_without_an_address_there_are_no_metadata(without: Scene) -> None:
    assert call("GET", "/.well-known/oauth-authorization-server").status == 409
    page = call("GET", "/api/rest/oauth2/auth?client_id=ci&response_type=code")
    assert page.status == 409
    assert "KEYTURN_ADDRESS" in page.text
