"""A connected service, as Authlib sees clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import ClientMixin

from chalicelib.core.grant_types import GrantType

if TYPE_CHECKING:
    from chalicelib.core.origin import Origin
    from chalicelib.core.services import Service
    from chalicelib.oauth.server import Server


class Client(ClientMixin):  # type: ignore[misc]
    """`service` is what the core works with."""

    def __init__(self, service: Service, server: Server, origin: Origin) -> None:
        self.service = service
        self._server = server
        self._origin = origin

    def get_client_id(self) -> str:
        return self.service.id

    def get_default_redirect_uri(self) -> str | None:
        """RFC 6749 section 3.1.2.3: it may be left out if there is only one."""
        uris = self.service.redirect_uris
        return uris[0] if len(uris) == 1 else None

    def get_allowed_scope(self, scope: str | None) -> str:
        """As asked for: the core says what it means, and refuses what it may not be."""
        return scope or ""

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return self.service.redirects_to(redirect_uri)

    def check_client_secret(self, client_secret: str) -> bool:
        return self._server.is_secret_of(self.service, client_secret, self._origin.now)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """A public client has no secret to give; any other has to give it (RFC 6749 section 3.2.1)."""
        return (method == "none") == self.service.public

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and GrantType.AUTHORIZATION_CODE in self.service.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {each.value for each in self.service.grant_types}
