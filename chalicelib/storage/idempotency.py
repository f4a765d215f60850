"""What requests with a key have made, in the table for a day."""

from __future__ import annotations

from chalicelib.core.audit.idempotency import Done
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.items import OnceItem


@translate_database_errors
class DynamoOnce:
    """Implements `core.audit.ports.OnceStore`. Entries are written by `storage.transaction`."""

    def find(self, user_id: str, key: str) -> Done | None:
        item = read_one(OnceItem, keys.once(user_id, key))
        return Done(item.fingerprint, item.target_id) if item else None
