"""What clients find out by themselves."""

from __future__ import annotations

from urllib.parse import urlsplit

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from chalicelib.oauth.routes import METADATA, OPENID_CONFIGURATION, ROUTES
from chalicelib.rest.routes import ROUTES as REST_ROUTES
from tests.conftest import ADDRESS
from tests.oauth.calling import call
from tests.oauth.conformance import covers
from tests.oauth.conftest import Stage


@covers(
    "8414-2-issuer", "8414-2-required", "8414-3-well-known", "8414-3.3-same-issuer", "9207-2.4-metadata", "9068-4-keys"
)
def test_authlib_finds_the_metadata_valid(stage: Stage) -> None:
    for path in (METADATA, OPENID_CONFIGURATION):
        answer = call("GET", path)
        assert answer.headers["content-type"] == "application/json"
        found = AuthorizationServerMetadata(answer.json)
        found.validate()
        assert found["issuer"] == ADDRESS
        assert found["authorization_response_iss_parameter_supported"] is True


@covers("7009-2-https")
def test_every_endpoint_is_there(stage: Stage) -> None:
    for name, address in call("GET", METADATA).json.items():
        if name.endswith("_endpoint") or name == "jwks_uri":
            assert address.startswith(ADDRESS)
            assert urlsplit(address).path in {**ROUTES, **REST_ROUTES}, name


def test_metadata_and_keys_may_be_kept_and_read_from_any_page(stage: Stage) -> None:
    for path in (METADATA, "/api/rest/oauth2/keys"):
        headers = call("GET", path).headers
        assert headers["cache-control"] == "public, max-age=900"
        assert headers["access-control-allow-origin"] == "*"
