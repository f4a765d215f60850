"""The ways to an access token: Authlib checks that a request keeps to its protocol, the core does the rest.

Each grant takes what `validate_token_request` of Authlib has checked and asks one operation of the core. The
methods in which Authlib itself would make tokens are not used: it writes them into the debug log.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import BaseGrant, TokenEndpointMixin
from authlib.oauth2.rfc6749 import grants as standard
from authlib.oauth2.rfc6749.errors import InvalidRequestError, UnauthorizedClientError
from authlib.oauth2.rfc7636 import CodeChallenge

from chalicelib.core.common.errors import ClientNotAllowed, Invalid
from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.oauth.token_exchange import Exchange

if TYPE_CHECKING:
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.delegations import AuthorizationCode
    from chalicelib.core.oauth.issuance import Issued
    from chalicelib.oauth.client import Client
    from chalicelib.oauth.protocol import ProtocolRequest
    from chalicelib.web.request import FormRequest

CONFIDENTIAL = ["client_secret_basic", "client_secret_post"]
ANY_CLIENT = [*CONFIDENTIAL, "none"]
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
JWT = "urn:ietf:params:oauth:token-type:jwt"

Answer = tuple[int, dict[str, Any], Any]


def token_answer(issued: Issued, more: dict[str, Any] | None = None) -> Answer:
    """RFC 6749 section 5.1."""
    token = issued.token
    body: dict[str, Any] = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": (token.expires - token.issued) // 1000,
        "scope": " ".join(token.scope),
        **(more or {}),
    }
    if issued.refresh_token:
        body["refresh_token"] = issued.refresh_token
    if issued.id_token:
        body["id_token"] = issued.id_token
    return int(HTTPStatus.OK), body, default_json_headers


class _Grant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]
    """What the grants of ours have in common."""

    request: ProtocolRequest

    @property
    def form_request(self) -> FormRequest:
        """The request as the core takes it."""
        return self.request.form_request

    @property
    def service(self) -> Service:
        """The client, once it is authenticated."""
        client: Client = self.request.client
        return client.service


class UnregisteredAddress(InvalidRequestError):  # type: ignore[misc]
    """The redirection address is not one of the client's."""


class FoundCode:
    """A code at rest, as the code grant of Authlib looks at it."""

    def __init__(self, code: AuthorizationCode) -> None:
        self.code = code
        self.code_challenge = code.challenge
        self.code_challenge_method = "S256"

    def get_redirect_uri(self) -> str | None:
        """The one that the authorization request named."""
        return self.code.redirect_uri


class AuthorizationCodeGrant(_Grant, standard.AuthorizationCodeGrant):  # type: ignore[misc]
    """RFC 6749 section 4.1 with PKCE. The code itself is issued after the user was asked (`authorization`)."""

    TOKEN_ENDPOINT_AUTH_METHODS = ANY_CLIENT

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Client) -> str:
        """The address that was named, or the only one that is registered. Raises UnregisteredAddress."""
        named: str | None = request.payload.redirect_uri or client.get_default_redirect_uri()
        if named is None or not client.check_redirect_uri(named):
            raise UnregisteredAddress
        return named

    def query_authorization_code(self, code: str, client: Client) -> FoundCode | None:
        found = self.form_request.oauth.authorization_codes.recognise(client.service, code, self.form_request.origin)
        return FoundCode(found) if found else None

    def create_token_response(self) -> Answer:
        found: FoundCode = self.request.authorization_code
        codes = self.form_request.oauth.authorization_codes
        return token_answer(codes.redeem(self.service, found.code, self.form_request.origin))


class RequiredChallenge(CodeChallenge):  # type: ignore[misc]
    """PKCE by S256, of every client (RFC 9700 section 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: AuthorizationCodeGrant, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if "code_challenge" not in data or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge: is required, with code_challenge_method=S256 (RFC 7636).")
        super().validate_code_challenge(grant, redirect_uri)


class RefreshTokenGrant(_Grant, standard.RefreshTokenGrant):  # type: ignore[misc]
    """RFC 6749 section 6."""

    TOKEN_ENDPOINT_AUTH_METHODS = ANY_CLIENT

    def validate_token_request(self) -> None:
        self.request.client = self._validate_request_client()
        if not self.form_request.value("refresh_token"):
            raise Invalid("refresh_token", "is required.")

    def create_token_response(self) -> Answer:
        form_request = self.form_request
        presented = form_request.value("refresh_token") or ""
        return token_answer(
            form_request.oauth.delegations.refresh(
                self.service, presented, form_request.value("scope"), form_request.origin
            )
        )


class ClientCredentialsGrant(_Grant, standard.ClientCredentialsGrant):  # type: ignore[misc]
    """RFC 6749 section 4.4."""

    TOKEN_ENDPOINT_AUTH_METHODS = CONFIDENTIAL

    def create_token_response(self) -> Answer:
        form_request = self.form_request
        operation = form_request.oauth.client_credentials
        since = self.request.client.secret_since
        return token_answer(operation.issue(self.service, form_request.value("scope"), form_request.origin.now, since))


class DeviceCodeGrant(_Grant):
    """RFC 8628 section 3.4."""

    GRANT_TYPE = GrantType.DEVICE_CODE.value
    TOKEN_ENDPOINT_AUTH_METHODS = ANY_CLIENT

    def validate_token_request(self) -> None:
        self.request.client = self.authenticate_token_endpoint_client()
        if not self.request.client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("This service may not use device codes.")
        if not self.form_request.value("device_code"):
            raise Invalid("device_code", "is required.")

    def create_token_response(self) -> Answer:
        form_request = self.form_request
        offline = self.request.client.check_grant_type(GrantType.REFRESH_TOKEN.value)
        presented = form_request.value("device_code") or ""
        return token_answer(form_request.oauth.devices.redeem(self.service, presented, offline, form_request.origin))


class TokenExchangeGrant(_Grant):
    """RFC 8693. A service that acts for the subject authenticates; whoever narrows a token of their own need not."""

    GRANT_TYPE = GrantType.TOKEN_EXCHANGE.value

    def validate_token_request(self) -> None:
        form_request = self.form_request
        for name in ("subject_token", "subject_token_type"):
            if not form_request.value(name):
                raise Invalid(name, "is required.")
        if form_request.value("subject_token_type") not in (ACCESS_TOKEN, JWT):
            raise Invalid("subject_token_type", f"must be {ACCESS_TOKEN} (a permanent token is one too) or {JWT}.")
        if form_request.value("requested_token_type") not in (None, ACCESS_TOKEN, JWT):
            raise Invalid("requested_token_type", f"must be {ACCESS_TOKEN} or {JWT}, if given.")
        for name in ("actor_token", "actor_token_type"):
            if form_request.value(name):
                raise Invalid(name, "is not supported: the service that authenticates is the actor.")
        if form_request.values("resource"):
            raise Invalid("audience", "names services by id or key; resource is not supported.")
        self.request.client = self._client()

    def _client(self) -> Client | None:
        named = self.form_request.value("client_id") or "Authorization" in self.request.headers
        if not named:
            return None
        client: Client = self.server.authenticate_client(self.request, CONFIDENTIAL)
        if not client.check_grant_type(self.GRANT_TYPE):
            raise ClientNotAllowed("This service may not exchange tokens.")
        return client

    def create_token_response(self) -> Answer:
        form_request = self.form_request
        asked = Exchange(
            subject_token=form_request.value("subject_token") or "",
            scope=form_request.value("scope"),
            audience=form_request.values("audience"),
            client=self.request.client.service if self.request.client else None,
        )
        issued = form_request.oauth.token_exchange.exchange(asked, form_request.origin)
        kind = form_request.value("requested_token_type") or ACCESS_TOKEN
        return token_answer(issued, {"issued_token_type": kind})


class JwtBearerGrant(_Grant):
    """RFC 7523 section 2.1, from the outside issuers that bots trust. `account` says which bot's rules to go by."""

    GRANT_TYPE = JWT_BEARER

    def validate_token_request(self) -> None:
        for name in ("assertion", "account"):
            if not self.form_request.value(name):
                raise Invalid(name, "is required.")

    def create_token_response(self) -> Answer:
        form_request = self.form_request
        issued = form_request.oauth.federation.exchange(
            form_request.value("account") or "",
            form_request.value("assertion") or "",
            form_request.value("scope"),
            form_request.origin.now,
        )
        return token_answer(issued)


ALL: tuple[tuple[type[BaseGrant], list[Any]], ...] = (
    (AuthorizationCodeGrant, [RequiredChallenge()]),
    (RefreshTokenGrant, []),
    (ClientCredentialsGrant, []),
    (DeviceCodeGrant, []),
    (TokenExchangeGrant, []),
    (JwtBearerGrant, []),
)
