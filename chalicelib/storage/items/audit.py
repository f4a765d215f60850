"""What was done: audit records, and requests with a client's key."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.core.audit.idempotency import LIFETIME_MS, IdempotencyKey
from chalicelib.core.audit.records import FAILURES_KEPT_MS, AuditRecord, Hand, counted
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.table import Item

if TYPE_CHECKING:
    from collections.abc import Sequence


WORKLOAD = "workload"


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
    hand = JSONAttribute(null=True)
    workload = UnicodeAttribute(null=True)  # of the hand; apart, since versions before it refuse a hand with one
    # Of a record that counts, beside the details of the last attempt.
    times = NumberAttribute(null=True)
    last_address = UnicodeAttribute(null=True)

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
            hand={name: value for name, value in asdict(record.hand).items() if value and name != WORKLOAD} or None,
            workload=record.hand.workload,
            collection=acts_of(record.actor_id),
            target=record.owner_id or record.target_id,
            position=record.position,
        )

    @classmethod
    def one_more(cls, failure: AuditRecord) -> None:
        """One more for this record, which may not be there yet. One round trip."""
        item = cls.of(failure)
        same = {name: value for name, value in item.attribute_values.items() if name not in ("pk", "sk", "address")}
        item.update(
            [
                cls.times.add(1),
                cls.address.set(cls.address | failure.address),
                cls.last_address.set(failure.address),
                cls.expires.set(datetime.fromtimestamp((failure.at + FAILURES_KEPT_MS) / 1000, UTC)),
                *(getattr(cls, name).set(value) for name, value in same.items() if value is not None),
                # What an attempt before had.
                *(getattr(cls, name).remove() for name in ("hand", WORKLOAD) if getattr(item, name) is None),
            ]
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
            details={**self.details, **self._counted()},
            id=self.id,
            hand=_hand(**{WORKLOAD: self.workload, **(self.hand or {})}),
        )

    def _counted(self) -> dict[str, str]:
        return {} if self.times is None else counted(int(self.times), self.address, self.last_address)


_OF_HANDS = frozenset(each.name for each in fields(Hand))


def _hand(services: Sequence[str] = (), **more: Any) -> Hand:
    """What a later version has written besides is left out: two run beside each other while one replaces the other."""
    return Hand(services=tuple(services), **{name: value for name, value in more.items() if name in _OF_HANDS})


class IdempotencyItem(Item, discriminator="once"):
    """A request with a client's key has been carried out."""

    fingerprint = UnicodeAttribute()
    target_id = UnicodeAttribute()

    @classmethod
    def of(cls, record: AuditRecord, idempotency_key: IdempotencyKey) -> IdempotencyItem:
        return cls(
            *keys.idempotency_key(record.actor_id, idempotency_key.key),
            fingerprint=idempotency_key.fingerprint,
            target_id=record.target_id,
            expires=datetime.fromtimestamp((record.at + LIFETIME_MS) / 1000, UTC),
        )
