"""A service acts for itself, at other services (RFC 6749 section 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.oauth.access_tokens import CLAIM_SCOPES, Source, SourceKind

if TYPE_CHECKING:
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.issuance import Issuance, Issued
    from chalicelib.core.oauth.scopes import Scopes


class ClientCredentials:
    """The access token says who the service is. What it may do at another one is for that one to decide."""

    def __init__(self, scopes: Scopes, issuance: Issuance) -> None:
        self._scopes = scopes
        self._issuance = issuance

    def issue(self, client: Service, scope: str | None, now: int, since: int | None) -> Issued:
        """An access token, which ends with the secret by which the client asks, made at `since`. Raises Invalid
        (`scope`)."""
        requested = self._scopes.requested(scope, (client.id,))
        for value in requested.values:
            if value not in requested.services and value not in CLAIM_SCOPES:
                raise Invalid("scope", f"there is no service {requested.written[value]!r}.")
        if KEYTURN in requested.values:
            raise Invalid("scope", "Keyturn's own API is for accounts. Create a bot and a token for it.")
        if CLAIM_SCOPES & set(requested.values):
            raise Invalid("scope", "openid, profile and email are for users only, not for services.")
        source = Source(SourceKind.SERVICE, client.id, since=since)
        return self._issuance.issue(client.id, client.id, requested.values, source, now)
