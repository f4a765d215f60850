"""Sessions: what a login gives, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.secrets.hashing import HashedSecret

LIFETIME_MS = 12 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Session:
    """A session at rest. `second_factor`: the login proved one, or the account's first one was added in it; `epoch`:
    the account's at that time, so that all sessions can be ended at once. Times are in milliseconds since the Unix
    epoch."""

    id: str
    user_id: str
    created: int
    expires: int
    address: str
    second_factor: bool
    epoch: int
    secret: HashedSecret
    last_used: int | None = None

    def is_alive(self, authenticators: Authenticators, now: int) -> bool:
        """Whether it has neither expired nor been ended together with all others, and proved a second factor if the
        account has one."""
        proven = self.second_factor or not authenticators.two_factor
        return now < self.expires and self.epoch == authenticators.session_epoch and proven
