"""A connected service asks about a token: is it good, whose is it, is it for me? (RFC 7662)

An application password stands in for its owner's password, and so is good for every service; the service
compares the login that came with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Unauthenticated
from chalicelib.core.common.origin import UsageContext
from chalicelib.core.secrets.token_format import ACCESS_TOKEN_BEGINNING, FOR_SERVICES, SERVICE_SECRET, recognise

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.core.access.account import User
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.access_token_check import AccessTokenCheck
    from chalicelib.core.oauth.access_tokens import AccessToken
    from chalicelib.core.verification.credential_check import CredentialCheck, Verification
    from chalicelib.core.verification.ports import Credential, CredentialStore, VerificationRead


@dataclass(frozen=True, slots=True)
class IntrospectionResult:
    """What a service learns of a token that is good for it."""

    credential: Credential | AccessToken
    owner: User | Service  # a service, with an access token by which it acts for itself
    service: Service
    ends: int | None = None  # when what was presented stops being good, in milliseconds since the epoch


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What a service is answered: `found` is None unless the token is good for it. `secret_ends`: when the secret ends
    by which it asked, in milliseconds since the epoch, if it has a newer one."""

    found: IntrospectionResult | None
    secret_ends: int | None = None


class Introspection:
    """Answers services. One round trip to the database: service, token and owner together."""

    def __init__(
        self, credentials: CredentialStore, check: CredentialCheck, access_tokens: Callable[[], AccessTokenCheck | None]
    ) -> None:
        self._credentials = credentials
        self._check = check
        self._access_tokens = access_tokens  # made, with all that reads signatures, when the first one comes

    def introspect(
        self,
        client: str,
        client_secret: str,
        presented: str,
        now: int,
        address: str | None = None,
        agent: str | None = None,
    ) -> IntrospectionResult | None:
        """What `client` (a service's id or key) may know of a token: None unless it is good for that service."""
        return self.answer(client, client_secret, presented, now, address, agent).found

    def answer(
        self,
        client: str,
        client_secret: str,
        presented: str,
        now: int,
        address: str | None = None,
        agent: str | None = None,
        client_address: str | None = None,
    ) -> Inquiry:
        """The same, and whether the service has a newer secret. `client_address` is from where the service asks.

        `address` and `agent` are those of who presented it to the service, as far as the service says so; a token
        that may be used from some networks only is good for no service that does not.

        Raises Unauthenticated unless the service's own secret is good, and Throttled. Source: RFC 7662
        sections 2.1 (the caller authenticates) and 2.2 (an inactive token is described no further).
        """
        ids = SERVICE_SECRET.parse(client_secret)
        if ids is None:  # refused without asking the database
            raise Unauthenticated("The service's id or secret is not valid.")
        if presented.startswith(ACCESS_TOKEN_BEGINNING):
            return self._introspect_access_token(client, client_secret, ids[0], presented, now, client_address)
        key = recognise(presented, *FOR_SERVICES)
        found = self._credentials.find(key, ids[0])
        service, held = found.service, _for_service(found)
        if service is None or client not in (service.id, service.key):
            raise Unauthenticated("The service's id or secret is not valid.")
        if held:
            self._check.prepare((presented, held[0]), (client_secret, service), now)
        asking = self._proven(client_secret, service, now, client_address)
        verified = self._check.verify(presented, *held, service, UsageContext(now, address, agent)) if held else None
        return Inquiry(IntrospectionResult(*held, service, verified.ends) if held and verified else None, asking.ends)

    def _introspect_access_token(
        self, client: str, client_secret: str, service_id: str, presented: str, now: int, client_address: str | None
    ) -> Inquiry:
        tokens = self._access_tokens()
        token = tokens.read(presented, now) if tokens else None
        if tokens is None or token is None:
            service, verified = self._credentials.find(None, service_id).service, None
        else:
            service, verified = tokens.asked_by(token, service_id, now)
        if service is None or client not in (service.id, service.key):
            raise Unauthenticated("The service's id or secret is not valid.")
        asking = self._proven(client_secret, service, now, client_address)
        if verified is None or service.id not in verified.token.audience:
            return Inquiry(None, asking.ends)
        return Inquiry(
            IntrospectionResult(verified.token, verified.subject, service, verified.token.expires), asking.ends
        )

    def _proven(self, client_secret: str, service: Service, now: int, address: str | None) -> Verification:
        verified = self._check.verify_service(client_secret, service, now, address)
        if verified is None:
            raise Unauthenticated("The service's id or secret is not valid.")
        return verified


def _for_service(found: VerificationRead) -> tuple[Credential, User] | None:
    """The credential and its owner, if there are such and it is for the service that asks."""
    credential, owner, service = found.credential, found.owner, found.service
    if credential is None or owner is None or service is None or not credential.is_for(service.id):
        return None
    return credential, owner
