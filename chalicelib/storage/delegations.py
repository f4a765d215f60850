"""Delegations and approved scopes in the table; DynamoDB removes them some time after their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.oauth.ports import Approving, DelegationFound
from chalicelib.storage.access import check_owner_unchanged
from chalicelib.storage.collection import read, read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import ApprovedScopeItem, DelegationItem, UserItem
from chalicelib.storage.sweeps import remove
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.oauth.delegations import ApprovedScope, Delegation


@translate_database_errors
class DynamoDelegations:
    """Implements `core.oauth.ports.DelegationStore`."""

    def list(self, user_id: str, client_id: str | None = None) -> list[Delegation]:
        pk, _ = keys.user(user_id)
        prefix = DelegationItem.sk.startswith(keys.delegations(client_id))
        found = (item.to_delegation() for item in DelegationItem.query(pk, prefix, consistent_read=True))
        return sorted(found, key=lambda delegation: (delegation.created, delegation.id))

    def find(self, user_id: str, delegation_id: str, client_id: str) -> DelegationFound:
        item_keys = [
            keys.user(user_id),
            keys.delegation(user_id, client_id, delegation_id),
            keys.approved_scope(user_id, client_id),
        ]
        delegation, owner, approval = None, None, None
        for item in read(Item, item_keys).values():
            if isinstance(item, DelegationItem):
                delegation = item.to_delegation()
            elif isinstance(item, UserItem):
                owner = item.to_user()
            elif isinstance(item, ApprovedScopeItem):
                approval = item.to_approval()
        return DelegationFound(delegation, owner, approval)

    def replace(self, old: Delegation, new: Delegation, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.replace(DelegationItem.of(new), DelegationItem.revision == old.revision, otherwise=StaleWrite())
        transaction.commit()

    def delete(self, delegation: Delegation, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.delete(DelegationItem.of(delegation), DelegationItem.pk.exists(), otherwise=StaleWrite())
        transaction.commit()

    def sweep(self, approval: ApprovedScope) -> None:
        found = self.list(approval.user_id, approval.client_id)
        remove(DelegationItem.of(each) for each in found if each.approval_id == approval.id)


@translate_database_errors
class DynamoApprovedScopes:
    """Implements `core.oauth.ports.ApprovedScopeStore`."""

    def list(self, user_id: str) -> list[ApprovedScope]:
        pk, _ = keys.user(user_id)
        prefix = ApprovedScopeItem.sk.startswith(keys.APPROVED_SCOPE_PREFIX)
        found = (item.to_approval() for item in ApprovedScopeItem.query(pk, prefix, consistent_read=True))
        return sorted(found, key=lambda approval: (approval.created, approval.id))

    def get(self, user_id: str, client_id: str) -> ApprovedScope | None:
        item = read_one(ApprovedScopeItem, keys.approved_scope(user_id, client_id))
        return item.to_approval() if item else None

    def approve(self, old: ApprovedScope | None, new: ApprovedScope, owner: User, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        approve(transaction, Approving(old, new, owner, audit))
        transaction.commit()

    def delete(self, approval: ApprovedScope, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        condition = ApprovedScopeItem.revision == approval.revision
        transaction.delete(ApprovedScopeItem.of(approval), condition, otherwise=StaleWrite())
        transaction.commit()


def approve(transaction: Transaction, approving: Approving) -> None:
    """This is approved in this transaction, which has the record."""
    old, new = approving.old, ApprovedScopeItem.of(approving.new)
    check_owner_unchanged(transaction, approving.owner, None)
    if old:
        transaction.replace(new, ApprovedScopeItem.revision == old.revision, otherwise=StaleWrite())
    else:
        transaction.create(new, otherwise=StaleWrite())


def begin(transaction: Transaction, delegation: Delegation, evicted: Sequence[Delegation]) -> None:
    """The delegation is stored in this transaction, and those that make room for it go."""
    transaction.create(DelegationItem.of(delegation), otherwise=StaleWrite())
    for each in evicted:
        transaction.delete(DelegationItem.of(each), DelegationItem.pk.exists(), otherwise=StaleWrite())
