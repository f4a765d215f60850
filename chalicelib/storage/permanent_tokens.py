"""Permanent tokens in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.errors import Conflict, StaleWrite
from chalicelib.storage import keys
from chalicelib.storage.availability import answers_or_unavailable
from chalicelib.storage.collection import read_one
from chalicelib.storage.held import check_owner_unchanged
from chalicelib.storage.items import TokenItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from chalicelib.core.access import Access
    from chalicelib.core.accounts import User
    from chalicelib.core.audit import AuditRecord
    from chalicelib.core.permanent_tokens import PermanentToken


@answers_or_unavailable
class DynamoTokens:
    """Implements `core.ports.TokenStore`."""

    def get(self, user_id: str, token_id: str) -> PermanentToken | None:
        item = read_one(TokenItem, keys.token(user_id, token_id))
        return item.to_credential() if item else None

    def list(self, user_id: str) -> list[PermanentToken]:
        pk, _ = keys.user(user_id)
        items = TokenItem.query(pk, TokenItem.sk.startswith(keys.TOKEN_PREFIX), consistent_read=True)
        return sorted((item.to_credential() for item in items), key=lambda token: (token.created, token.id))

    def create(self, token: PermanentToken, owner: User, compared: Access | None, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, compared)
        transaction.create(TokenItem.of(token), otherwise=StaleWrite())
        transaction.take_name(keys.token_name(token.user_id, token.name), token.id, otherwise=_name_taken(token))
        transaction.commit()

    def replace(
        self, old: PermanentToken, new: PermanentToken, owner: User, compared: Access | None, audit: AuditRecord
    ) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, compared)
        transaction.replace(TokenItem.of(new), TokenItem.revision == old.revision, otherwise=StaleWrite())
        if old.name != new.name:
            transaction.free_name(keys.token_name(old.user_id, old.name))
            transaction.take_name(keys.token_name(new.user_id, new.name), new.id, otherwise=_name_taken(new))
        transaction.commit()

    def delete(self, token: PermanentToken, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.delete(TokenItem.of(token), TokenItem.revision == token.revision, otherwise=StaleWrite())
        transaction.free_name(keys.token_name(token.user_id, token.name))
        transaction.commit()


def _name_taken(token: PermanentToken) -> Conflict:
    return Conflict(f"The account has a permanent token named {token.name!r} already.", "name")
