"""What checking a credential needs from storage. The rules of `core.stores` hold here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.directory.service import Service
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import Secrets
    from chalicelib.core.secrets.token_format import CredentialKey, CredentialKind
    from chalicelib.core.tokens.token import PermanentToken


class Credential(Protocol):
    """What an account holds and presents by itself. Each kind has one class that answers this, and one entry in
    `CredentialKind`; nobody else tells kinds apart. Times are in milliseconds since the epoch."""

    kind: ClassVar[CredentialKind]

    @property
    def id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def created(self) -> int: ...
    @property
    def secret(self) -> HashedSecret: ...
    @property
    def secrets(self) -> Secrets[HashedSecret]:
        """All its secrets; those of most kinds are never superseded."""

    @property
    def last_used(self) -> int | None: ...

    @property
    def expires(self) -> int | None:
        """When it ends by itself; None: not at all."""

    def has_ended(self, now: int, owner: User, authenticators: Authenticators | None = None) -> bool:
        """Whether it is good no more, whoever presents it with which secret: the one rule for it. `authenticators` are
        the owner's, of which logins need to know."""

    def is_for(self, service_id: str) -> bool:
        """Whether it is good at this service; at Keyturn itself, for its owner's permissions."""

    @property
    def networks(self) -> Sequence[str]:
        """From which alone it may be used; none: from everywhere."""

    @property
    def only(self) -> frozenset[str] | None:
        """The permissions that it gives at most of its owner's; None: all of them."""

    @property
    def opens_nothing(self) -> str | None:
        """Why it makes and changes no credentials, and gives no powers, in words; None: it does, as its owner may."""

    @property
    def second_factor(self) -> bool:
        """Whether its holder proved one for it."""

    def not_used_at(self, service_ids: frozenset[str]) -> frozenset[str]:
        """Those services of which it is still to be stored that it was used there."""

    @property
    def rotating(self) -> PermanentToken | None:
        """Itself, if secrets of its kind rotate: for what follows from earlier secrets and from token policies."""


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
