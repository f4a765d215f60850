"""The record that every change leaves, written in the transaction that makes the change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.core.identifiers import new_id
from chalicelib.core.permissions import KEYTURN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.once import Once
    from chalicelib.core.permanent_tokens import PermanentToken
    from chalicelib.core.uses import Use

# Milliseconds since the epoch. Keyturn is younger than the first, so no search has to look before it.
FIRST_MOMENT = 1_767_225_600_000  # 2026-01-01
LAST_MOMENT = 10**14  # in the year 5138


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what, to whom, when, from where. `details` never holds a secret or a hash."""

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
    once: Once | None = None  # the client's key for the request, which is not part of the record

    @property
    def position(self) -> str:
        """Where the record stands among all, by time; no two are equal."""
        return position_at(self.at) + self.id


def by_keyturn(kind: str, token: PermanentToken, use: Use, details: Mapping[str, str]) -> AuditRecord:
    """The record of what Keyturn itself does to a token; `use` says when, and where the reason came from."""
    return AuditRecord(
        kind=kind,
        at=use.now,
        actor_id=KEYTURN,
        credential_id=token.id,
        address=use.address or "unknown",
        target_kind="permanent-token",
        target_id=token.id,
        owner_id=token.user_id,
        details=details,
    )


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
