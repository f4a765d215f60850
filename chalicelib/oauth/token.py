"""`/oauth2/token`, `/oauth2/revoke` and `/oauth2/device_authorization`: what clients send without a browser."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from authlib.oauth2.rfc6749.errors import UnauthorizedClientError

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.oauth.delegations import DEVICE_LIFETIME_MS, USER_CODE_LENGTH
from chalicelib.core.secrets.token_format import ACCESS_TOKEN_BEGINNING, CredentialKind, recognise
from chalicelib.oauth import routes
from chalicelib.oauth.grants import ANY_CLIENT
from chalicelib.oauth.server import Server, UnsupportedToken
from chalicelib.oauth.views import for_programs
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.directory.service import Service
    from chalicelib.web.request import FormRequest

MAY_REPEAT = frozenset({"audience", "resource"})  # RFC 8693 section 2.1


@for_programs
def issue(form_request: FormRequest) -> Response:
    _require_single(form_request)
    server = Server(form_request)
    request = server.create_oauth2_request(None)
    grant = server.get_token_grant(request)
    grant.validate_token_request()
    response: Response = server.handle_response(*grant.create_token_response())
    return response


@for_programs
def revoke(form_request: FormRequest) -> Response:
    """RFC 7009. What is not known is as good as revoked; hints are not needed, since tokens say what they are."""
    _require_single(form_request)
    token = form_request.value("token")
    client_id = _client_id(form_request)
    if token is None:
        raise Invalid("token", "is required.")
    oauth, origin = form_request.oauth, form_request.origin
    if token.startswith(ACCESS_TOKEN_BEGINNING):
        oauth.access_token_check.revoke(client_id, token, origin)
    elif recognise(token, *CredentialKind):
        raise UnsupportedToken("This credential cannot be revoked here. Delete it on its account.")
    else:
        oauth.delegations.revoke(client_id, token, origin)
    return answer({})


def _client_id(form_request: FormRequest) -> str:
    """Who asks. Whoever got a token without a client, by an exchange, may give it back without one."""
    if form_request.value("client_id") or form_request.http.headers.get("authorization"):
        return _authenticated(form_request).id
    return KEYTURN


@for_programs
def start_device(form_request: FormRequest) -> Response:
    """RFC 8628 section 3.2."""
    _require_single(form_request)
    client = _authenticated(form_request)
    if GrantType.DEVICE_CODE not in client.grant_types:
        raise UnauthorizedClientError("This service may not use device codes.")
    started = form_request.oauth.devices.start(client, form_request.value("scope"), form_request.origin)
    shown = _shown(started.device.user_code)
    address = form_request.oauth.issuer + routes.DEVICE
    return answer(
        {
            "device_code": started.device_code,
            "user_code": shown,
            "verification_uri": address,
            "verification_uri_complete": f"{address}?{urlencode({'user_code': shown})}",
            "expires_in": DEVICE_LIFETIME_MS // 1000,
            "interval": started.device.interval // 1000,
        },
        HTTPStatus.OK,
    )


def _authenticated(form_request: FormRequest) -> Service:
    server = Server(form_request)
    client = server.authenticate_client(server.create_oauth2_request(None), ANY_CLIENT)
    service: Service = client.service
    return service


def _shown(user_code: str) -> str:
    half = USER_CODE_LENGTH // 2
    return f"{user_code[:half]}-{user_code[half:]}"


def _require_single(form_request: FormRequest) -> None:
    """RFC 6749 section 3.2: no parameter comes more than once."""
    for name in {name for name, _ in form_request.pairs} - MAY_REPEAT:
        form_request.value(name)
