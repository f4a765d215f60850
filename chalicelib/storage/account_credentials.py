"""The credentials of accounts, of every kind whose secret does not rotate, in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.storage.access import check_owner_unchanged
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import STORED_KINDS, AuthenticatorsItem
from chalicelib.storage.sweeps import remove
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.access.account import User
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.login.ports import AccountCredential, C


@translate_database_errors
class DynamoAccountCredentials:
    """Implements `core.login.ports.AccountCredentialStore`."""

    def list(self, kind: type[C], user_id: str) -> list[C]:
        stored = STORED_KINDS[kind.kind]
        pk, prefix = stored.item_key(user_id, "")
        items = stored.item.query(pk, stored.item.sk.startswith(prefix), consistent_read=True)
        found = sorted((item.to_credential() for item in items), key=lambda each: (each.created, each.id))
        return cast("list[C]", found)

    def get(self, kind: type[C], user_id: str, id: str) -> C | None:
        stored = STORED_KINDS[kind.kind]
        item = read_one(stored.item, stored.item_key(user_id, id))
        return cast("C", item.to_credential()) if item else None

    def create(
        self, credential: AccountCredential, owner: User, authenticators: Authenticators | None, audit: AuditRecord
    ) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, None)
        if authenticators:
            # What ends all that depends on them changes them too: none must be made meanwhile.
            transaction.update(
                AuthenticatorsItem(*keys.authenticators(owner.id)),
                [AuthenticatorsItem.revision.add(1)],
                condition=AuthenticatorsItem.revision == authenticators.revision,
                otherwise=StaleWrite(),
            )
        transaction.create(STORED_KINDS[credential.kind].item.of(credential), otherwise=StaleWrite())
        if name := _name(credential):
            transaction.take_name(name, credential.id, otherwise=_name_taken(credential))
        transaction.commit()

    def delete(self, credential: AccountCredential, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        item = STORED_KINDS[credential.kind].at(credential.user_id, credential.id)
        transaction.delete(item, Item.pk.exists(), otherwise=StaleWrite())
        if name := _name(credential):
            transaction.free_name(name)
        transaction.commit()

    def sweep(self, ended: Iterable[AccountCredential]) -> None:
        remove(Item(*item_key) for each in ended for item_key in (_name(each), _item_key(each)) if item_key)


def _item_key(credential: AccountCredential) -> keys.Key:
    return STORED_KINDS[credential.kind].item_key(credential.user_id, credential.id)


def _name(credential: AccountCredential) -> keys.Key | None:
    name_of = STORED_KINDS[credential.kind].name
    return name_of(credential) if name_of else None


def _name_taken(credential: Any) -> Conflict:
    title = credential.kind.value.title
    article = "an" if title[0] in "aeiou" else "a"
    return Conflict(f"The account has {article} {title} named {credential.name!r} already.", "name")
