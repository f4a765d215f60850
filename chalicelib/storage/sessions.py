"""Sessions in the table; DynamoDB removes them some time after their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import StaleWrite
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.items import SessionItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.login.session import Session


@translate_database_errors
class DynamoSessions:
    """Implements `core.login.ports.SessionStore`."""

    def list(self, user_id: str) -> list[Session]:
        pk, _ = keys.user(user_id)
        items = SessionItem.query(pk, SessionItem.sk.startswith(keys.SESSION_PREFIX), consistent_read=True)
        return sorted((item.to_credential() for item in items), key=lambda session: (-session.created, session.id))

    def get(self, user_id: str, session_id: str) -> Session | None:
        item = read_one(SessionItem, keys.session(user_id, session_id))
        return item.to_credential() if item else None

    def delete(self, session: Session, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        item = SessionItem(*keys.session(session.user_id, session.id))
        transaction.delete(item, SessionItem.pk.exists(), otherwise=StaleWrite())
        transaction.commit()
