"""The record that every change leaves, written in the transaction that makes the change; and that failures leave."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.core.common.identifiers import ID_LENGTH, base62, new_id
from chalicelib.core.common.time import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.audit.idempotency import IdempotencyKey

# Milliseconds since the epoch. Keyturn is younger than the first, so no search has to look before it.
FIRST_MOMENT = 1_767_225_600_000  # 2026-01-01
LAST_MOMENT = 10**14  # in the year 5138

ANYBODY = "anybody"  # the actor of what somebody did who has proven nothing
FAILURES_WINDOW_MS = 15 * 60_000
FAILURES_KEPT_MS = 400 * DAY_MS


@dataclass(frozen=True, slots=True)
class Hand:
    """By which hand an account acted.

    `kind` is that of the credential: permanent-token, application-password or session; or of what an access token came
    from: permanent-token, delegation (a refresh token's id, or that of the code or device it began with), trust-rule or
    service. `services` are the ids of the connected services that acted for the account, the last one first.
    `previous_secret`: the secret was superseded. `workload`: the job behind a trust rule, as its platform calls it
    (`trust_rules.workload`).
    """

    kind: str | None = None
    access_token_id: str | None = None
    services: tuple[str, ...] = ()
    previous_secret: bool = False
    workload: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what, to whom, when, from where. `details` never holds a secret or a hash. `credential_id` is what was
    presented, or what the access token that was presented came from."""

    kind: str  # e.g. "permanent-token.created"
    at: int  # milliseconds since the epoch
    actor_id: str
    credential_id: str
    address: str
    target_kind: str
    target_id: str
    owner_id: str | None = None  # the account that the target hangs on, where it does
    details: Mapping[str, str] = field(default_factory=dict)
    id: str = field(default_factory=new_id)
    idempotency_key: IdempotencyKey | None = None  # the client's key for the request, which is not part of the record
    hand: Hand = field(default_factory=Hand)

    @property
    def position(self) -> str:
        """Where the record stands among all, by time; no two are equal."""
        return position_at(self.at) + self.id


def failure(
    kind: str,
    now: int,
    address: str,
    target: tuple[str, str],
    owner_id: str | None = None,
    actor_id: str = ANYBODY,
    credential_id: str = "",
    details: Mapping[str, str] | None = None,
) -> AuditRecord:
    """The record of all attempts of this kind at one target (its kind and id) that failed in a quarter of an hour,
    from its beginning on: strangers can make many attempts, and few records. It never holds what was tried. `details`
    are those of the last one."""
    at = now - now % FAILURES_WINDOW_MS
    named = hashlib.sha256("#".join((kind, *target, str(at))).encode()).digest()
    id = base62(int.from_bytes(named[:8]), ID_LENGTH)
    return AuditRecord(kind, at, actor_id, credential_id, address, *target, owner_id, details or {}, id)


def counted(times: int, first: str, last: str) -> dict[str, str]:
    """The details of such a record: how many attempts, and where the last came from if not from where the first did."""
    return {"times": str(times), **({"last address": last} if last != first else {})}


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which records are wanted; None asks for all. `target_id` also finds what was done to an account's
    credentials; `after` is the `AuditPage.after` of the page before; times are both included."""

    actor_id: str | None = None
    target_id: str | None = None
    kind: str | None = None
    since: int = 0
    until: int = LAST_MOMENT
    after: str | None = None

    @property
    def lowest(self) -> str:
        """The position before the oldest wanted record."""
        return position_at(max(self.since, FIRST_MOMENT))

    @property
    def highest(self) -> str:
        """The position behind the newest wanted record."""
        last = position_at(self.until) + "~"
        return min(self.after, last) if self.after else last

    def matches(self, record: AuditRecord) -> bool:
        """Whether the record is wanted, as far as actor and kind say."""
        return self.actor_id in (None, record.actor_id) and self.kind in (None, record.kind)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Records, newest first, and where to go on: None if there is certainly nothing more."""

    records: Sequence[AuditRecord]
    after: str | None


def position_at(at: int) -> str:
    """The position before all records of this millisecond."""
    return f"{at:015d}#"


def changes(old: object, new: object, *fields: str) -> dict[str, str]:
    """What became of these attributes, as the details of a record; what stayed is left out."""
    values = {field: (getattr(old, field), getattr(new, field)) for field in fields}
    return {field: f"{before} -> {after}" for field, (before, after) in values.items() if before != after}
