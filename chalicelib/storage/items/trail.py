"""What was done: audit records, and requests with a client's key."""

from __future__ import annotations

from datetime import UTC, datetime

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.core.audit import AuditRecord
from chalicelib.core.once import LIFETIME_MS, Once
from chalicelib.storage import keys
from chalicelib.storage.table import Item


def acts_of(actor_id: str) -> str:
    """The collection of what an account did."""
    return f"ACTS#{actor_id}"


class AuditItem(Item, discriminator="audit"):
    id = UnicodeAttribute()
    audit_kind = UnicodeAttribute()
    at = NumberAttribute()
    actor_id = UnicodeAttribute()
    credential_id = UnicodeAttribute()
    address = UnicodeAttribute()
    target_kind = UnicodeAttribute()
    target_id = UnicodeAttribute()
    owner_id = UnicodeAttribute(null=True)
    details = JSONAttribute()

    @classmethod
    def of(cls, record: AuditRecord) -> AuditItem:
        day = datetime.fromtimestamp(record.at / 1000, UTC).date().isoformat()
        return cls(
            keys.audit_day(day),
            record.position,
            id=record.id,
            audit_kind=record.kind,
            at=record.at,
            actor_id=record.actor_id,
            credential_id=record.credential_id,
            address=record.address,
            target_kind=record.target_kind,
            target_id=record.target_id,
            owner_id=record.owner_id,
            details=dict(record.details),
            collection=acts_of(record.actor_id),
            target=record.owner_id or record.target_id,
            position=record.position,
        )

    def to_record(self) -> AuditRecord:
        return AuditRecord(
            kind=self.audit_kind,
            at=int(self.at),
            actor_id=self.actor_id,
            credential_id=self.credential_id,
            address=self.address,
            target_kind=self.target_kind,
            target_id=self.target_id,
            owner_id=self.owner_id,
            details=self.details,
            id=self.id,
        )


class OnceItem(Item, discriminator="once"):
    """A request with a client's key has been carried out."""

    fingerprint = UnicodeAttribute()
    target_id = UnicodeAttribute()

    @classmethod
    def of(cls, record: AuditRecord, once: Once) -> OnceItem:
        return cls(
            *keys.once(record.actor_id, once.key),
            fingerprint=once.fingerprint,
            target_id=record.target_id,
            expires=datetime.fromtimestamp((record.at + LIFETIME_MS) / 1000, UTC),
        )
