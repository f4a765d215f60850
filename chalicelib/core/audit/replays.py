"""What became of a request that a client sends again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import KeyReused

if TYPE_CHECKING:
    from chalicelib.core.audit.idempotency import Once
    from chalicelib.core.audit.ports import OnceStore


class Repetition:
    """Recognises repeated requests by the caller's keys."""

    def __init__(self, done: OnceStore) -> None:
        self._done = done

    def made_by(self, user_id: str, once: Once) -> str | None:
        """The id of what the account's earlier request with this key made; None if there was none.

        Raises KeyReused if that request asked for something else.
        """
        done = self._done.find(user_id, once.key)
        if done is None:
            return None
        if done.fingerprint != once.fingerprint:
            raise KeyReused
        return done.target_id
