"""A connected service asks about a token: is it good, whose is it, is it for me? (RFC 7662)"""

from dataclasses import dataclass

from chalicelib.core.accounts import User
from chalicelib.core.credentials.wire_format import PERMANENT_TOKEN, SERVICE_SECRET
from chalicelib.core.errors import Unauthenticated
from chalicelib.core.operations.credential_check import CredentialCheck
from chalicelib.core.permanent_tokens import PermanentToken
from chalicelib.core.ports import CredentialStore
from chalicelib.core.services import Service


@dataclass(frozen=True, slots=True)
class TokenInformation:
    """What a service learns of a token that is good for it."""

    token: PermanentToken
    owner: User
    service: Service


class Introspection:
    """Answers services. One round trip to the database: service, token and owner together."""

    def __init__(self, credentials: CredentialStore, check: CredentialCheck) -> None:
        self._credentials = credentials
        self._check = check

    def ask(self, client: str, client_secret: str, presented: str, now: int) -> TokenInformation | None:
        """What `client` (a service's id or key) may know of a token: None unless it is good for that service.

        Raises Unauthenticated if the service's own secret is wrong, and Throttled. Source: RFC 7662
        sections 2.1 (the caller authenticates) and 2.2 (an inactive token is described no further).
        """
        ids = SERVICE_SECRET.parse(client_secret)
        if ids is None:  # refused without asking the database
            raise Unauthenticated("The service's id or secret is not valid.")
        key = PERMANENT_TOKEN.parse(presented)
        found = self._credentials.find((key[0], key[1]) if key else None, ids[0])
        service, token, owner = found.service, found.token, found.owner
        known = service is not None and client in (service.id, service.key)
        if service is None or not known or not self._check.is_service(client_secret, service, now):
            raise Unauthenticated("The service's id or secret is not valid.")
        if token is None or owner is None or service.id not in token.scope:
            return None
        if not self._check.is_good_token(presented, token, owner, now):
            return None
        return TokenInformation(token, owner, service)
