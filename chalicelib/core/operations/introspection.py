"""A connected service asks about a token: is it good, whose is it, is it for me? (RFC 7662)

An application password stands in for its owner's password, and so is good for every service; the service
compares the login that came with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.credentials.wire_format import SERVICE_SECRET, CredentialKind, recognise
from chalicelib.core.errors import Unauthenticated
from chalicelib.core.permanent_tokens import PermanentToken
from chalicelib.core.sessions import Session

if TYPE_CHECKING:
    from chalicelib.core.accounts import User
    from chalicelib.core.application_passwords import ApplicationPassword
    from chalicelib.core.operations.credential_check import CredentialCheck
    from chalicelib.core.ports import Credentials, CredentialStore
    from chalicelib.core.services import Service


@dataclass(frozen=True, slots=True)
class TokenInformation:
    """What a service learns of a token that is good for it."""

    credential: PermanentToken | ApplicationPassword
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
        key = recognise(presented, CredentialKind.PERMANENT_TOKEN, CredentialKind.APPLICATION_PASSWORD)
        found = self._credentials.find(key, ids[0])
        service, held = found.service, _for_service(found)
        if service is None or client not in (service.id, service.key):
            raise Unauthenticated("The service's id or secret is not valid.")
        if held:
            self._check.prepare((presented, held[0]), (client_secret, service), now)
        if not self._check.is_service(client_secret, service, now):
            raise Unauthenticated("The service's id or secret is not valid.")
        if held is None or not self._check.is_good(presented, *held, now):
            return None
        return TokenInformation(*held, service)


def _for_service(found: Credentials) -> tuple[PermanentToken | ApplicationPassword, User] | None:
    """The credential and its owner, if there are such and it is for the service that asks."""
    credential, owner, service = found.credential, found.owner, found.service
    if credential is None or owner is None or service is None or isinstance(credential, Session):
        return None
    if isinstance(credential, PermanentToken) and service.id not in credential.scope:
        return None
    return credential, owner
