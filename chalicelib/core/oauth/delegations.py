"""What accounts let connected services do for them by OAuth 2.0.

An *authorization code* or a *device authorization* is how it begins, an *approved scope* is what the user
agreed to, and a *delegation* is what a service has from then on: with a refresh token, Hub's "refresh token".
Sources: RFC 6749, RFC 7636, RFC 8628, RFC 9700; Hub's page "OAuth 2.0 Authorization".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.time import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.directory.service import Service
    from chalicelib.core.secrets.hashing import HashedSecret

CODE_LIFETIME_MS = 60_000
APPROVAL_LIFETIME_MS = 180 * DAY_MS
IDLE_LIFETIME_MS = 180 * DAY_MS  # RFC 9700 section 4.14.2: a refresh token that nobody uses ends
REFRESH_LEEWAY_MS = 30_000  # an answer may get lost, and its request be sent again
MAX_SECRETS = 10  # of one delegation at a time, as when it is refreshed so often within the leeway
MAX_DELEGATIONS = 20  # of one account and service; the one used least recently makes room
MAX_EVICTED = 20  # at once; if there are more too many, the next ones that begin make them go

DEVICE_LIFETIME_MS = 10 * 60_000
DEVICE_INTERVAL_MS = 5_000
USER_CODE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628 section 6.1: no vowels, nothing to confuse
USER_CODE_LENGTH = 8


def needs_no_consent(client: Service, scope: Sequence[str]) -> bool:
    """Whether a service may do this for anybody unasked. None may act on Keyturn itself, which is the way to all
    else."""
    return client.trusted and KEYTURN not in scope


@dataclass(frozen=True, slots=True)
class ApprovedScope:
    """What one account has approved for one service, until `expires`. Times are in milliseconds.

    `offline`: also while nobody is there, with a refresh token; `shown`: when it was approved last where the account
    was shown to what address the service's codes go. What was approved before these were stored has neither.
    """

    id: str
    user_id: str
    client_id: str
    scope: tuple[str, ...]
    created: int
    expires: int
    offline: bool = False
    shown: int = 0
    revision: int = 1

    def knows(self, client: Service) -> bool:
        """Whether the service gets its codes where it did when the account was shown that last."""
        return self.shown >= client.redirects_changed

    def covers(self, client: Service, scope: Sequence[str], offline: bool, now: int) -> bool:
        """Whether the account need not be asked about this again."""
        return (
            now < self.expires
            and self.knows(client)
            and set(scope) <= set(self.scope)
            and (self.offline or not offline)
        )


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """A code at rest. `challenge` is PKCE's, by S256; `approval_id` None if nobody had to be asked.

    `redirect_uri` None if the request left it out. `authenticated`: when the user logged in. `digest`: of the code.
    """

    id: str
    user_id: str
    client_id: str
    redirect_uri: str | None
    scope: tuple[str, ...]
    challenge: str
    nonce: str | None
    offline: bool
    approval_id: str | None
    authenticated: int
    expires: int
    digest: str
    used: bool = False


@dataclass(frozen=True, slots=True)
class RefreshSecret:
    """One refresh token of a delegation; `until` None: the current one."""

    hashed: HashedSecret
    until: int | None = None

    def is_valid(self, now: int) -> bool:
        """Whether it may still be used."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Delegation:
    """What one service may do for one account. `secrets` are empty if there is no refresh token.

    `put_aside`: until then (milliseconds since the epoch) a secret may come for which there was no room, though it was
    within its leeway; what is not known may be that, and is no replay.
    """

    id: str
    user_id: str
    client_id: str
    scope: tuple[str, ...]
    approval_id: str | None
    created: int
    authenticated: int
    expires: int
    secrets: tuple[RefreshSecret, ...] = ()
    last_used: int | None = None
    put_aside: int | None = None
    revision: int = 1

    @property
    def offline(self) -> bool:
        """Whether it outlives its first access token."""
        return bool(self.secrets)

    def knows_all(self, now: int) -> bool:
        """Whether a refresh token of ours that is none of `secrets` was superseded more than the leeway ago."""
        return self.put_aside is None or now >= self.put_aside

    def allowed(self, client: Service | None, approval: ApprovedScope | None, now: int) -> tuple[str, ...]:
        """The part of its scope that is still good: nothing once the approval that it hangs on is gone, or without
        one what the service may have unasked. `client` and `approval` are those of this delegation, as they are
        now."""
        if client is None or now >= self.expires:
            return ()
        if self.approval_id is None:
            return tuple(value for value in self.scope if needs_no_consent(client, [value]))
        if approval is None or approval.id != self.approval_id or now >= approval.expires:
            return ()
        return tuple(value for value in self.scope if value in approval.scope)

    def refreshed(self, presented: RefreshSecret, hashed: HashedSecret, now: int) -> Delegation:
        """With another current secret, after `presented` was used.

        What was current before goes on for the leeway, in case the answer gets lost. If `presented` was
        itself superseded, and what came after it is not known, as after a change of keys, the answer was lost: the
        secret in it, which nobody may have, stays until one of the two is used, and what is not used then is a replay.
        """
        ends = now + REFRESH_LEEWAY_MS
        kept = []
        # The presented one first: however often it is sent again within its leeway, it is no replay.
        for secret in sorted(self.secrets, key=lambda each: each is not presented):
            if not secret.is_valid(now):
                continue
            stays = secret.until is not None or (presented.until is not None and secret is not presented)
            kept.append(secret if stays else replace(secret, until=ends))
        aside = [ends if secret.until is None else secret.until for secret in kept[MAX_SECRETS - 1 :]]
        return replace(
            self,
            secrets=(RefreshSecret(hashed), *kept[: MAX_SECRETS - 1]),
            last_used=now,
            put_aside=max((*aside, self.put_aside or 0)) or None,
            expires=now + IDLE_LIFETIME_MS,
            revision=self.revision + 1,
        )


class DeviceStatus(Enum):
    """What the user has said so far."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """A device that waits for its user (RFC 8628). `interval` is how often it may ask, in milliseconds;
    `digest` is that of the device code; `offline`: its user was told that it gets a refresh token."""

    id: str
    client_id: str
    scope: tuple[str, ...]
    user_code: str
    expires: int
    digest: str
    interval: int = DEVICE_INTERVAL_MS
    last_poll: int | None = None
    status: DeviceStatus = DeviceStatus.PENDING
    user_id: str | None = None
    approval_id: str | None = None
    authenticated: int = 0
    offline: bool = False
    revision: int = 1


def normal_user_code(typed: str) -> str:
    """A user code as it is stored, from what somebody typed (RFC 8628 section 6.1)."""
    return "".join(character for character in typed.upper() if character in USER_CODE_ALPHABET)
