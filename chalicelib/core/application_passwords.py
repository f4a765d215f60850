"""Application passwords: what an account with 2FA gives to clients that know only login and password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.core.credentials.sealing import SealedSecret

MAX_APPLICATION_PASSWORDS = 50  # of one account: turning 2FA off removes them in one transaction


@dataclass(frozen=True, slots=True)
class ApplicationPassword:
    """An application password at rest. Times are in milliseconds since the epoch."""

    id: str
    user_id: str
    name: str
    created: int
    secret: SealedSecret
    last_used: int | None = None
