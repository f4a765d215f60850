"""Application passwords: what an account with 2FA gives to clients that know only login and password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.secrets.hashing import HashedSecret

MAX_APPLICATION_PASSWORDS = 50  # of one account


@dataclass(frozen=True, slots=True)
class ApplicationPassword:
    """An application password at rest. `epoch`: the account's at that time, so that all can be ended at once. Times are
    in milliseconds since the Unix epoch."""

    id: str
    user_id: str
    name: str
    created: int
    secret: HashedSecret
    last_used: int | None = None
    epoch: int = 0

    def is_alive(self, owner: User) -> bool:
        """Whether it has not been ended together with all others."""
        return self.epoch == owner.password_epoch
