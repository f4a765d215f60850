"""What people log in with, and the sessions that they get, in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.login.authenticators import Authenticators, UsedChallenge
from chalicelib.storage.access import change_owner, check_owner_unchanged, check_unchanged
from chalicelib.storage.collection import read, read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import stale_if_condition_failed
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import AuthenticatorsItem, NameItem, OneTimeMarkerItem, SessionItem, UserItem
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pynamodb.expressions.update import Action

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.login.session import Session


@translate_database_errors
class DynamoAuthenticators:
    """Implements `core.login.ports.AuthenticatorStore`."""

    def get(self, user_id: str) -> Authenticators:
        item_key = keys.authenticators(user_id)
        return authenticators_in(read(Item, [item_key]), user_id)

    def find_by_login(self, login: str) -> tuple[User | None, Authenticators]:
        name = read_one(NameItem, keys.login(validation.login_key(login)))
        user_id = name.holder_id if name else new_id()  # nobody has it, and reading nothing takes as long
        found = read(Item, [keys.user(user_id), keys.authenticators(user_id)])
        user = found.get(keys.user(user_id))
        return user.to_user() if isinstance(user, UserItem) else None, authenticators_in(found, user_id)

    def replace(
        self,
        owner: User,
        old: Authenticators,
        new: Authenticators,
        required_permissions: Access | None,
        ends_passwords: bool,
        audit: AuditRecord,
        challenge: UsedChallenge | None = None,
        kept: str | None = None,
    ) -> None:
        transaction = Transaction(audit)
        if ends_passwords:
            change_owner(transaction, owner, [UserItem.password_epoch.set(owner.password_epoch + 1)])
            check_unchanged(transaction, required_permissions)
        else:
            check_owner_unchanged(transaction, owner, required_permissions)
        _put(transaction, old, new, challenge)
        if kept:
            transaction.update(
                SessionItem(*keys.session(owner.id, kept)),
                [SessionItem.epoch.set(new.session_epoch), SessionItem.second_factor.set(True)],
                SessionItem.epoch == old.session_epoch,
                otherwise=StaleWrite(),
            )
        transaction.commit()

    def open_session(
        self,
        session: Session,
        owner: User,
        old: Authenticators,
        new: Authenticators,
        challenge: UsedChallenge | None,
        audit: AuditRecord,
    ) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, None)
        _put(transaction, old, new, challenge)
        transaction.create(SessionItem.of(session), otherwise=StaleWrite())
        transaction.commit()

    def count_wrong_code(self, old: Authenticators, new: Authenticators, audit: AuditRecord | None) -> None:
        item = AuthenticatorsItem(*keys.authenticators(old.user_id))
        unchanged = AuthenticatorsItem.revision == old.revision
        count, revision = AuthenticatorsItem.wrong_codes, AuthenticatorsItem.revision
        actions: list[Action] = [count.set(new.wrong_codes), revision.set(new.revision)]
        if audit is None:
            with stale_if_condition_failed():
                item.update(actions, unchanged)
        else:
            transaction = Transaction(audit)
            transaction.update(item, actions, unchanged, otherwise=StaleWrite())
            transaction.commit()


def authenticators_in(found: Mapping[keys.Key, Item], user_id: str) -> Authenticators:
    """The account's authenticators among the items that were read."""
    item = found.get(keys.authenticators(user_id))
    return item.to_authenticators() if isinstance(item, AuthenticatorsItem) else Authenticators(user_id)


def _put(transaction: Transaction, old: Authenticators, new: Authenticators, challenge: UsedChallenge | None) -> None:
    item = AuthenticatorsItem.of(new)
    if old.revision:
        transaction.replace(item, AuthenticatorsItem.revision == old.revision, otherwise=StaleWrite())
    else:
        transaction.create(item, otherwise=StaleWrite())
    if challenge:
        used = Conflict("This answer of a passkey was used already. Start again.")
        transaction.create(OneTimeMarkerItem.at(keys.challenge(challenge.id), challenge.expires), otherwise=used)
