"""A connected service, as Authlib sees clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authlib.oauth2.rfc6749 import ClientMixin

from chalicelib.core.directory.grant_types import GrantType
from chalicelib.web.headers import sunset

if TYPE_CHECKING:
    from chalicelib.core.directory.service import Service
    from chalicelib.web.request import FormRequest


class Client(ClientMixin):  # type: ignore[misc]
    """`service` is what the core works with; `secret_since`, when the secret was made by which it has proven itself, in
    milliseconds since the epoch (None: it has not)."""

    def __init__(self, service: Service, form_request: FormRequest) -> None:
        self.service = service
        self.secret_since: int | None = None
        self._form_request = form_request

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
        """The answer tells when an earlier secret ends. Raises Throttled."""
        form_request = self._form_request
        check, origin = form_request.keyturn.credential_check, form_request.origin
        verified = check.verify_service(client_secret, self.service, origin.now, origin.address)
        form_request.headers.update(sunset(verified.ends if verified else None))
        self.secret_since = verified.since if verified else None
        return verified is not None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """A public client has no secret to give; any other has to give it (RFC 6749 section 3.2.1)."""
        return (method == "none") == self.service.public

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and GrantType.AUTHORIZATION_CODE in self.service.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {each.value for each in self.service.grant_types}
