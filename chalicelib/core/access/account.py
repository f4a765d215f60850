"""Accounts: people and bots, with unique logins, that can be banned.

A bot has an owner, a person or a group, who is asked about it. When the owner is gone, the bot and its
tokens go on working, as in Hub, and it shows up as ownerless.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from chalicelib.core.common.time import DAY_MS


class AccountType(Enum):
    """A person or a bot. A bot never logs in with a password."""

    USER = "user"
    BOT = "bot"


class OwnerKind(Enum):
    """Who can own a bot."""

    USER = "user"
    GROUP = "userGroup"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a bot belongs to; whether that account or group still exists is another question."""

    kind: OwnerKind
    id: str


LOGIN_REST_MS = 30 * DAY_MS  # so long nobody else gets a login that became free


@dataclass(frozen=True, slots=True)
class User:
    """An account. `created` is in milliseconds since the epoch; `revision` counts changes."""

    id: str
    login: str
    name: str
    type: AccountType
    created: int
    banned: bool = False
    ban_reason: str | None = None
    owner: Owner | None = None
    description: str | None = None
    email: str | None = None
    groups: frozenset[str] = frozenset()  # ids of those that it is directly in; some may be gone
    password_epoch: int = 0  # application passwords of an earlier one have ended
    revision: int = 1

    def changed(
        self,
        *,
        login: str | None = None,
        name: str | None = None,
        banned: bool | None = None,
        ban_reason: str | None = None,
        description: str | None = None,
        email: str | None = None,
    ) -> User:
        """This account with the given values, as its next revision. Lifting a ban drops its reason; an empty
        description or address is none."""
        now_banned = self.banned if banned is None else banned
        reason = self.ban_reason if ban_reason is None else ban_reason
        return replace(
            self,
            login=self.login if login is None else login,
            name=self.name if name is None else name,
            banned=now_banned,
            ban_reason=reason if now_banned else None,
            description=self.description if description is None else description or None,
            email=self.email if email is None else email or None,
            revision=self.revision + 1,
        )
