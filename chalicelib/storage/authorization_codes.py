"""Authorization codes in the table; DynamoDB removes them a day after their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.oauth.ports import CodeFound
from chalicelib.storage.access import check_owner_unchanged
from chalicelib.storage.collection import read
from chalicelib.storage.delegations import begin
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import ApprovedScopeItem, AuthorizationCodeItem, UserItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.oauth.delegations import AuthorizationCode, Delegation


@translate_database_errors
class DynamoCodes:
    """Implements `core.oauth.ports.CodeStore`."""

    def find(self, user_id: str, code_id: str, client_id: str) -> CodeFound:
        item_keys = [
            keys.user(user_id),
            keys.authorization_code(user_id, code_id),
            keys.approved_scope(user_id, client_id),
        ]
        code, owner, approval = None, None, None
        for item in read(Item, item_keys).values():
            if isinstance(item, AuthorizationCodeItem):
                code = item.to_code()
            elif isinstance(item, UserItem):
                owner = item.to_user()
            elif isinstance(item, ApprovedScopeItem):
                approval = item.to_approval()
        return CodeFound(code, owner, approval)

    def create(self, code: AuthorizationCode, owner: User, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, None)
        transaction.create(AuthorizationCodeItem.of(code), otherwise=StaleWrite())
        transaction.commit()

    def redeem(
        self, code: AuthorizationCode, delegation: Delegation, evicted: Sequence[Delegation], audit: AuditRecord
    ) -> None:
        transaction = Transaction(audit)
        transaction.update(
            AuthorizationCodeItem(*keys.authorization_code(code.user_id, code.id)),
            [AuthorizationCodeItem.used.set(True)],
            condition=AuthorizationCodeItem.used == False,  # noqa: E712 - a condition, not a comparison
            otherwise=StaleWrite(),
        )
        begin(transaction, delegation, evicted)
        transaction.commit()
