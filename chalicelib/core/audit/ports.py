"""What audit records and repeated requests need from storage. The rules of `core.stores` hold here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from chalicelib.core.audit.idempotency import StoredResult
    from chalicelib.core.audit.records import AuditPage, AuditQuery, AuditRecord


class AuditStore(Protocol):
    """Audit records, to be read."""

    def append(self, record: AuditRecord) -> None:
        """A record of something that changes nothing. Raises StaleWrite if it is there already."""

    def count(self, failure: AuditRecord) -> None:
        """One more of the attempts that a record of `core.audit.records.failure` stands for: the first makes it, and
        names where it came from; its details are the last one's, and those of `core.audit.records.counted`. Atomic. It
        is kept for 400 days."""

    def page(self, query: AuditQuery, top: int) -> AuditPage:
        """At most `top` records. Eventually consistent by actor and by target."""


class IdempotencyStore(Protocol):
    """What requests with a client's key have made."""

    def find(self, user_id: str, key: str) -> StoredResult | None: ...
