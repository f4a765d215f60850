"""What requests with a key have made, in the table for a day."""

from __future__ import annotations

from chalicelib.core.audit.idempotency import StoredResult
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.items import IdempotencyItem


@translate_database_errors
class DynamoIdempotency:
    """Implements `core.audit.ports.IdempotencyStore`. Entries are written by `storage.transaction`."""

    def find(self, user_id: str, key: str) -> StoredResult | None:
        item = read_one(IdempotencyItem, keys.idempotency_key(user_id, key))
        return StoredResult(item.fingerprint, item.target_id) if item else None
