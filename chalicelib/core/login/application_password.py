"""Application passwords: what an account with 2FA gives to clients that know only login and password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chalicelib.core.secrets.previous_secrets import Secrets
from chalicelib.core.secrets.token_format import CredentialKind

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.secrets.hashing import HashedSecret

MAX_APPLICATION_PASSWORDS = 50  # of one account


@dataclass(frozen=True, slots=True)
class ApplicationPassword:
    """An application password at rest, which stands in for its owner's password: good everywhere, and not by itself for
    ever. `epoch`: the account's at that time, so that all can be ended at once. Times are in milliseconds since the
    Unix epoch. What is not of its own here is as `verification.ports.Credential` says."""

    kind: ClassVar = CredentialKind.APPLICATION_PASSWORD
    expires: ClassVar[int | None] = None
    networks: ClassVar[tuple[str, ...]] = ()
    second_factor: ClassVar = False
    only: ClassVar[frozenset[str] | None] = None
    opens_nothing: ClassVar = (
        "An application password cannot create or change credentials, or grant permissions. Log in, or use a "
        "permanent token."
    )
    rotating: ClassVar[None] = None

    id: str
    user_id: str
    name: str
    created: int
    secret: HashedSecret
    last_used: int | None = None
    epoch: int = 0

    @property
    def secrets(self) -> Secrets[HashedSecret]:
        return Secrets(self.secret, self.created)

    def has_ended(self, now: int, owner: User, authenticators: Authenticators | None = None) -> bool:
        """Whether it has been ended together with all others."""
        return self.epoch != owner.password_epoch

    def is_for(self, service_id: str) -> bool:
        return True

    def not_used_at(self, service_ids: frozenset[str]) -> frozenset[str]:
        return frozenset()  # where it was used is not kept
