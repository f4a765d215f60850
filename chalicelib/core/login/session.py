"""Sessions: what a login gives, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.secrets.previous_secrets import Secrets
from chalicelib.core.secrets.token_format import CredentialKind

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.secrets.hashing import HashedSecret

LIFETIME_MS = 12 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Session:
    """A session at rest. `second_factor`: the login proved one, or the account's first one was added in it; `epoch`:
    the account's at that time, so that all sessions can be ended at once. Times are in milliseconds since the Unix
    epoch. What is not of its own here is as `verification.ports.Credential` says."""

    kind: ClassVar = CredentialKind.SESSION
    networks: ClassVar[tuple[str, ...]] = ()
    only: ClassVar[frozenset[str] | None] = None
    opens_nothing: ClassVar[str | None] = None
    rotating: ClassVar[None] = None

    id: str
    user_id: str
    created: int
    expires: int
    address: str
    second_factor: bool
    epoch: int
    secret: HashedSecret
    last_used: int | None = None

    @property
    def secrets(self) -> Secrets[HashedSecret]:
        return Secrets(self.secret, self.created)

    def has_ended(self, now: int, owner: User, authenticators: Authenticators | None = None) -> bool:
        """Whether it has expired, has been ended together with all others, or lacks the second factor that the account
        has now."""
        if authenticators is None:
            return True
        second_factor_missing = authenticators.two_factor and not self.second_factor
        return now >= self.expires or self.epoch != authenticators.session_epoch or second_factor_missing

    def is_for(self, service_id: str) -> bool:
        return service_id == KEYTURN

    def not_used_at(self, service_ids: frozenset[str]) -> frozenset[str]:
        return frozenset()  # where it was used is not kept
