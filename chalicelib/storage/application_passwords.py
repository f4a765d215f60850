"""Application passwords in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.storage.access import check_owner_unchanged
from chalicelib.storage.collection import read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import ApplicationPasswordItem, AuthenticatorsItem
from chalicelib.storage.sweeps import remove
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.login.application_password import ApplicationPassword
    from chalicelib.core.login.authenticators import Authenticators


@translate_database_errors
class DynamoApplicationPasswords:
    """Implements `core.login.ports.ApplicationPasswordStore`."""

    def list(self, user_id: str) -> list[ApplicationPassword]:
        pk, _ = keys.user(user_id)
        model, prefix = ApplicationPasswordItem, keys.APPLICATION_PASSWORD_PREFIX
        passwords = (
            item.to_credential() for item in model.query(pk, model.sk.startswith(prefix), consistent_read=True)
        )
        return sorted(passwords, key=lambda password: (password.created, password.id))

    def get(self, user_id: str, password_id: str) -> ApplicationPassword | None:
        item = read_one(ApplicationPasswordItem, keys.application_password(user_id, password_id))
        return item.to_credential() if item else None

    def create(
        self, password: ApplicationPassword, owner: User, authenticators: Authenticators, audit: AuditRecord
    ) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, None)
        # Turning 2FA off ends all passwords that there are: none must be made meanwhile.
        transaction.update(
            AuthenticatorsItem(*keys.authenticators(password.user_id)),
            [AuthenticatorsItem.revision.add(1)],
            condition=AuthenticatorsItem.revision == authenticators.revision,
            otherwise=StaleWrite(),
        )
        transaction.create(ApplicationPasswordItem.of(password), otherwise=StaleWrite())
        taken = Conflict(f"The account has an application password named {password.name!r} already.", "name")
        transaction.take_name(_name(password), password.id, otherwise=taken)
        transaction.commit()

    def delete(self, password: ApplicationPassword, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        item = ApplicationPasswordItem(*_item_key(password))
        transaction.delete(item, ApplicationPasswordItem.pk.exists(), otherwise=StaleWrite())
        transaction.free_name(_name(password))
        transaction.commit()

    def sweep(self, user_id: str, epoch: int) -> None:
        ended = [each for each in self.list(user_id) if each.epoch < epoch]
        remove(Item(*item_key) for each in ended for item_key in (_name(each), _item_key(each)))


def _item_key(password: ApplicationPassword) -> keys.Key:
    return keys.application_password(password.user_id, password.id)


def _name(password: ApplicationPassword) -> keys.Key:
    return keys.application_password_name(password.user_id, password.name, password.epoch)
