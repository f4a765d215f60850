"""What became of a request that a client sends again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import IdempotencyMismatch

if TYPE_CHECKING:
    from chalicelib.core.audit.idempotency import IdempotencyKey
    from chalicelib.core.audit.ports import IdempotencyStore


class IdempotentReplay:
    """Recognises repeated requests by the caller's keys."""

    def __init__(self, stored_results: IdempotencyStore) -> None:
        self._stored_results = stored_results

    def made_by(self, user_id: str, idempotency_key: IdempotencyKey) -> str | None:
        """The id of what the account's earlier request with this key made; None if there was none.

        Raises IdempotencyMismatch if that request asked for something else.
        """
        stored = self._stored_results.find(user_id, idempotency_key.key)
        if stored is None:
            return None
        if stored.fingerprint != idempotency_key.fingerprint:
            raise IdempotencyMismatch
        return stored.target_id
