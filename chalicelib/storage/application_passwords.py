"""Application passwords in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.errors import Conflict, StaleWrite
from chalicelib.storage import keys
from chalicelib.storage.availability import answers_or_unavailable
from chalicelib.storage.collection import read_one
from chalicelib.storage.items import ApplicationPasswordItem, AuthenticatorsItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from chalicelib.core.application_passwords import ApplicationPassword
    from chalicelib.core.audit import AuditRecord
    from chalicelib.core.authenticators import Authenticators


@answers_or_unavailable
class DynamoApplicationPasswords:
    """Implements `core.ports.ApplicationPasswordStore`."""

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

    def create(self, password: ApplicationPassword, authenticators: Authenticators, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        # Turning 2FA off removes the passwords that it read: it must not miss one that is made meanwhile.
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
        remove(transaction, password)
        transaction.commit()


def remove(transaction: Transaction, password: ApplicationPassword) -> None:
    """The password goes in this transaction. Raises StaleWrite at its end if it is gone already."""
    item = ApplicationPasswordItem(*keys.application_password(password.user_id, password.id))
    transaction.delete(item, ApplicationPasswordItem.pk.exists(), otherwise=StaleWrite())
    transaction.free_name(_name(password))


def _name(password: ApplicationPassword) -> keys.Key:
    return keys.application_password_name(password.user_id, password.name)
