"""From a presented secret to who presents it: the path that every request takes.

One round trip to the database, strongly consistent, at every check: what was revoked, narrowed or
banned a moment ago is refused now, whatever this process remembers.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from chalicelib.core.accounts import User
from chalicelib.core.authorization import Caller
from chalicelib.core.credentials.sealing import SealedSecret
from chalicelib.core.credentials.verifier import SecretVerifier
from chalicelib.core.credentials.wire_format import PERMANENT_TOKEN, SERVICE_SECRET
from chalicelib.core.errors import InsufficientScope, StaleWrite, Unauthenticated, Unavailable
from chalicelib.core.permanent_tokens import PermanentToken
from chalicelib.core.permissions import KEYTURN
from chalicelib.core.ports import CredentialStore, RoleStore
from chalicelib.core.roles import effective_permissions
from chalicelib.core.services import Service


@dataclass(frozen=True, slots=True)
class Origin:
    """When a request came (milliseconds since the epoch) and from which network address."""

    now: int
    address: str


@dataclass(frozen=True, slots=True)
class Introspection:
    """What a service learns of a token that is good for it."""

    token: PermanentToken
    owner: User
    service: Service


class Authentication:
    """Checks tokens and service secrets."""

    def __init__(self, credentials: CredentialStore, roles: RoleStore, verifier: SecretVerifier) -> None:
        self._credentials = credentials
        self._roles = roles
        self._verifier = verifier

    def caller(self, presented: str, origin: Origin) -> Caller:
        """Who calls Keyturn's own API with the permanent token `presented`.

        Raises Unauthenticated, InsufficientScope (the token is not for Keyturn itself) or Throttled.
        """
        key = PERMANENT_TOKEN.parse(presented)
        found = self._credentials.find((key[0], key[1]), None) if key else None
        if not found or not found.token or not self._is_good(presented, found.token, found.owner, origin.now):
            raise Unauthenticated("The access token is not valid.")
        assert found.owner is not None
        if KEYTURN not in found.token.scope:
            raise InsufficientScope("This token's scope does not include Keyturn itself.")
        grants = self._roles.grants_of(found.owner.id)
        roles = self._roles.get_many({grant.role_id for grant in grants})
        return Caller(found.owner, effective_permissions(grants, roles), found.token.id, origin.now, origin.address)

    def introspect(self, client: str, client_secret: str, presented: str, now: int) -> Introspection | None:
        """What `client` (a service's id or key) may know of a token: None unless it is good for that service.

        Raises Unauthenticated if the service's own secret is wrong, and Throttled. Source: RFC 7662
        sections 2.1 (the caller authenticates) and 2.2 (an inactive token is described no further).
        """
        ids = SERVICE_SECRET.parse(client_secret)
        key = PERMANENT_TOKEN.parse(presented)
        found = self._credentials.find((key[0], key[1]) if key else None, ids[0]) if ids else None
        service = found.service if found else None
        if not service or client not in (service.id, service.key) or not self._is_service(client_secret, service, now):
            raise Unauthenticated("The service's id or secret is not valid.")
        assert found is not None
        token, owner = found.token, found.owner
        if not token or not owner or service.id not in token.scope:
            return None
        return Introspection(token, owner, service) if self._is_good(presented, token, owner, now) else None

    def _is_good(self, presented: str, token: PermanentToken, owner: User | None, now: int) -> bool:
        if owner is None or owner.banned:
            return False
        return self._matches(presented, token.secret, now, partial(self._credentials.reseal_token, token))

    def _is_service(self, presented: str, service: Service, now: int) -> bool:
        if service.secret is None:
            return False
        return self._matches(presented, service.secret, now, partial(self._credentials.reseal_service, service))

    def _matches(self, presented: str, sealed: SealedSecret, now: int, reseal: Callable[[SealedSecret], None]) -> bool:
        """Whether the secret is the sealed one; if it is, but sealed at yesterday's cost, seal it anew."""
        if not self._verifier.verify(presented, sealed, now):
            return False
        if self._verifier.is_outdated(sealed):
            # A good secret is not refused because its seal could not be renewed: its next use will.
            with contextlib.suppress(StaleWrite, Unavailable):
                reseal(self._verifier.seal(presented))
        return True
