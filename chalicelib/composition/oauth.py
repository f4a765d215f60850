"""Where the parts of OAuth 2.0 are put together. Imported by the requests that need it: it loads what reads and
makes signatures."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Conflict
from chalicelib.core.oauth.access_token_check import AccessTokenCheck
from chalicelib.core.oauth.issuance import Issuance
from chalicelib.core.oauth.jwt import JwtFormat
from chalicelib.core.oauth.scopes import Scopes
from chalicelib.signing.documents import key_document
from chalicelib.signing.keys import StoredSigningKeys

if TYPE_CHECKING:
    from chalicelib.composition.shared import SharedParts
    from chalicelib.core.oauth.approved_scopes import ApprovedScopes
    from chalicelib.core.oauth.authorization_codes import AuthorizationCodes
    from chalicelib.core.oauth.client_credentials import ClientCredentials
    from chalicelib.core.oauth.devices import Devices
    from chalicelib.core.oauth.federation import Federation
    from chalicelib.core.oauth.manage_delegations import Delegations
    from chalicelib.core.oauth.manage_trust_rules import TrustRules
    from chalicelib.core.oauth.token_exchange import TokenExchange
    from chalicelib.settings import Settings


class OAuth:
    """Everything about OAuth 2.0 that an API layer can ask."""

    def __init__(self, shared: SharedParts, settings: Settings) -> None:
        """No network is used yet. Raises Conflict if there is no address, which access tokens name as issuer."""
        if settings.address is None:
            raise Conflict("OAuth 2.0 needs the setting KEYTURN_ADDRESS.")
        self._shared = shared
        self._stores = shared.stores
        self._settings = settings
        self.issuer = settings.address
        self.signing_keys = StoredSigningKeys(key_document(settings))
        self.jwt = JwtFormat(self.issuer, self.signing_keys)
        self.scopes = Scopes(shared.services)
        self.access_token_check = AccessTokenCheck(self.jwt, self._stores.access_tokens)
        self._issuance = Issuance(self.jwt)

    @functools.cached_property
    def approved_scopes(self) -> ApprovedScopes:
        """What users have approved."""
        from chalicelib.core.oauth.approved_scopes import ApprovedScopes

        return ApprovedScopes(self._stores.approved_scopes, self._stores.delegations, self._shared.accounts)

    @functools.cached_property
    def delegations(self) -> Delegations:
        """What services may do for accounts."""
        from chalicelib.core.oauth.manage_delegations import Delegations
        from chalicelib.core.oauth.refresh_token_format import RefreshTokenFormat

        tokens = RefreshTokenFormat(self._shared.keyring)
        return Delegations(
            self._stores.delegations,
            self._stores.approved_scopes,
            self._shared.accounts,
            self.scopes,
            tokens,
            self._shared.verifier,
            self._issuance,
            self._stores.audit,
        )

    @functools.cached_property
    def authorization_codes(self) -> AuthorizationCodes:
        """Codes through the browser."""
        from chalicelib.core.oauth.authorization_codes import AuthorizationCodes

        parts = self._shared.accounts, self.approved_scopes, self.scopes, self.delegations
        return AuthorizationCodes(self._stores.codes, *parts)

    @functools.cached_property
    def devices(self) -> Devices:
        """Devices without a browser."""
        from chalicelib.core.oauth.devices import Devices

        return Devices(
            self._stores.devices,
            self._stores.delegations,
            self._shared.accounts,
            self.approved_scopes,
            self.scopes,
            self.delegations,
            self._shared.attempt_limiter,
        )

    @functools.cached_property
    def client_credentials(self) -> ClientCredentials:
        """Services that act for themselves."""
        from chalicelib.core.oauth.client_credentials import ClientCredentials

        return ClientCredentials(self.scopes, self._issuance)

    @functools.cached_property
    def token_exchange(self) -> TokenExchange:
        """Narrowed tokens."""
        from chalicelib.core.oauth.token_exchange import TokenExchange

        check = self._shared.credential_check
        return TokenExchange(self._stores.credentials, check, self.access_token_check, self.scopes, self._issuance)

    @functools.cached_property
    def federation(self) -> Federation:
        """Outside identity tokens."""
        from chalicelib.core.oauth.federated_tokens import FederatedTokens
        from chalicelib.core.oauth.federation import Federation
        from chalicelib.outbound.issuer_keys import FetchedIssuerKeys

        tokens = FederatedTokens(FetchedIssuerKeys(self._settings.internal_issuers))
        return Federation(self._stores.trust_rules, self._stores.accounts, tokens, self.scopes, self._issuance)

    @functools.cached_property
    def trust_rules(self) -> TrustRules:
        """Which outside tokens bots trust."""
        from chalicelib.core.oauth.manage_trust_rules import TrustRules

        return TrustRules(self._stores.trust_rules, self._shared.accounts, self.scopes, self.federation)
