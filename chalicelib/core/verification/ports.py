"""What checking a credential needs from storage. The rules of `core.stores` hold here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.directory.service import Service
    from chalicelib.core.login.application_password import ApplicationPassword
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.login.session import Session
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.token_format import CredentialKey
    from chalicelib.core.tokens.token import PermanentToken


Credential: TypeAlias = "PermanentToken | ApplicationPassword | Session"


@dataclass(frozen=True, slots=True)
class VerificationRead:
    """What one round trip finds: credential, its owner, and the service that asks; each may be missing.

    `authenticators` only with a session, which they may have ended.
    """

    credential: Credential | None = None
    owner: User | None = None
    service: Service | None = None
    authenticators: Authenticators | None = None


class CredentialStore(Protocol):
    """The path that every request takes: one round trip, strongly consistent."""

    def find(self, key: CredentialKey | None, service_id: str | None) -> VerificationRead:
        """Credential and owner by key, service by id; None asks for nothing."""

    def mark_used(self, credential: Credential, usage: UsageContext, services: Sequence[str] = ()) -> None:
        """Store when it was used and, of a permanent token, how and at which services. Raises StaleWrite if it is
        gone."""

    def settle(self, token: PermanentToken, since: int) -> None:
        """Store that the secret which was made at `since` was used. Raises StaleWrite if that is stored of it or of a
        later one, or if the token has changed since it was read."""

    def replace_hash(self, holder: Credential | Service, hashed: HashedSecret) -> None:
        """Store the holder's secret, hashed anew. Raises StaleWrite if the secret has changed since it was read."""
