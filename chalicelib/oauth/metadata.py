"""What clients and services need to know of this server: its metadata (RFC 8414) and its public keys (RFC 7517)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.oauth.access_tokens import EMAIL, OPENID, PROFILE
from chalicelib.core.oauth.scopes import OFFLINE_ACCESS
from chalicelib.core.oauth.signing_keys import CACHED_MS, Algorithm
from chalicelib.oauth import routes
from chalicelib.oauth.grants import ANY_CLIENT, CONFIDENTIAL, JWT_BEARER
from chalicelib.oauth.views import for_programs
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.web.request import FormRequest

PUBLIC = {"Cache-Control": f"public, max-age={CACHED_MS // 1000}"}


@for_programs
def get_metadata(form_request: FormRequest) -> Response:
    return answer(metadata(form_request.oauth.issuer), headers=PUBLIC)


@for_programs
def get_keys(form_request: FormRequest) -> Response:
    return answer({"keys": form_request.oauth.jwt.public_keys(form_request.origin.now)}, headers=PUBLIC)


def metadata(issuer: str) -> dict[str, object]:
    """RFC 8414 section 2 and OpenID Connect Discovery section 3. Scopes besides these are services, which are not
    everybody's business."""
    return {
        "issuer": issuer,
        "authorization_endpoint": issuer + routes.AUTHORIZATION,
        "token_endpoint": issuer + routes.TOKEN,
        "revocation_endpoint": issuer + routes.REVOCATION,
        "introspection_endpoint": issuer + routes.INTROSPECTION,
        "userinfo_endpoint": issuer + routes.USER_INFO,
        "jwks_uri": issuer + routes.KEYS,
        "device_authorization_endpoint": issuer + routes.DEVICE_AUTHORIZATION,
        "scopes_supported": [OPENID, PROFILE, EMAIL, OFFLINE_ACCESS],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [*(each.value for each in GrantType), JWT_BEARER],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ANY_CLIENT,
        "revocation_endpoint_auth_methods_supported": ANY_CLIENT,
        "introspection_endpoint_auth_methods_supported": CONFIDENTIAL[:1],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [each.value for each in Algorithm],
        "claims_supported": ["sub", "name", "preferred_username", "email", "email_verified", "auth_time"],
        "prompt_values_supported": ["none", "login", "consent"],
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }
