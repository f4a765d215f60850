"""Permanent tokens in the table. Every change of one writes its event too."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import NameTaken, StaleWrite
from chalicelib.core.tokens.event import event
from chalicelib.core.tokens.ports import TokenPage
from chalicelib.storage.access import check_owner_unchanged
from chalicelib.storage.collection import read, read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import stale_if_condition_failed
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import TOKENS, EventItem, NameItem, TokenItem, TokenLabelItem, labelled
from chalicelib.storage.transaction import Transaction

LAST = 10**15 - 1  # milliseconds since the epoch: beyond every moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.expressions.condition import Condition

    from chalicelib.core.access.account import User
    from chalicelib.core.access.effective import Access
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.tokens.ports import Displaced
    from chalicelib.core.tokens.token import PermanentToken


@translate_database_errors
class DynamoTokens:
    """Implements `core.tokens.ports.TokenStore`."""

    def get(self, user_id: str, token_id: str) -> PermanentToken | None:
        item = read_one(TokenItem, keys.token(user_id, token_id))
        return item.to_credential() if item else None

    def named(self, user_id: str, name: str) -> PermanentToken | None:
        found = read_one(NameItem, keys.token_name(user_id, name))
        return self.get(user_id, found.holder_id) if found else None

    def list(self, user_id: str) -> list[PermanentToken]:
        pk, _ = keys.user(user_id)
        items = TokenItem.query(pk, TokenItem.sk.startswith(keys.TOKEN_PREFIX), consistent_read=True)
        return sorted((item.to_credential() for item in items), key=lambda token: (token.created, token.id))

    def page(self, label: str | None, after: str | None, top: int, due: int | None = None) -> TokenPage:
        lowest = after or keys.due(0, "")
        highest = keys.due(LAST if due is None else due, "~")
        collection = TOKENS if label is None else labelled(label)
        between = Item.position.between(lowest, highest)
        every = Item.by_collection.query(collection, between, page_size=top + 1) if lowest < highest else ()
        # A token with labels that differ in case alone has an entry for each, one after the other.
        one_each = (next(same) for _, same in groupby(every, lambda entry: entry.position))
        entries = list(islice((entry for entry in one_each if entry.position != after), top))
        due_at = {
            (entry.pk, keys.TOKEN_PREFIX + entry.sk.rpartition("#")[2]): int(entry.position[:15]) for entry in entries
        }
        found = read(TokenItem, list(due_at))
        tokens = [found[item_key].to_credential() for item_key in due_at if item_key in found]
        due_of = {token.id: due_at[keys.token(token.user_id, token.id)] for token in tokens} if label is None else {}
        return TokenPage(tokens, entries[-1].position if entries and len(entries) == top else None, due_of)

    def create(
        self,
        token: PermanentToken,
        owner: User,
        required_permissions: Access | None,
        audit: AuditRecord,
        displaced: Displaced | None = None,
    ) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, required_permissions)
        transaction.create(TokenItem.of(token), otherwise=StaleWrite())
        _take_name(transaction, token, displaced)
        _label(transaction, token, (), token.labels)
        _add_event(transaction, token, audit)
        transaction.commit()

    def replace(
        self,
        old: PermanentToken,
        new: PermanentToken,
        owner: User,
        required_permissions: Access | None,
        audit: AuditRecord,
        displaced: Displaced | None = None,
    ) -> None:
        transaction = Transaction(audit)
        check_owner_unchanged(transaction, owner, required_permissions)
        transaction.replace(TokenItem.of(new), _unchanged(old), otherwise=StaleWrite())
        if old.name != new.name:
            transaction.free_name(keys.token_name(old.user_id, old.name))
            _take_name(transaction, new, displaced)
        _label(transaction, new, old.labels, new.labels)
        _add_event(transaction, new, audit)
        transaction.commit()

    def delete(self, token: PermanentToken, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        _remove(transaction, token, audit)
        transaction.free_name(keys.token_name(token.user_id, token.name))
        transaction.commit()

    def update_system_fields(self, old: PermanentToken, new: PermanentToken, audit: AuditRecord, due: int = 0) -> None:
        transaction = Transaction(audit)
        item = TokenItem.of(new)
        item.position = keys.due(due, new.id)
        transaction.replace(item, _unchanged(old), otherwise=StaleWrite())
        _add_event(transaction, new, audit)
        transaction.commit()

    def put_off(self, token: PermanentToken, due: int) -> None:
        item = TokenItem(*keys.token(token.user_id, token.id))
        position = keys.due(due, token.id)
        unchanged = TokenItem.revision == token.revision
        with stale_if_condition_failed():
            item.update([TokenItem.position.set(position), TokenItem.collection.set(TOKENS)], condition=unchanged)


def _unchanged(token: PermanentToken) -> Condition:
    """It is as it was read. That a newer secret was used has no revision of its own, and must not be written over."""
    settled = TokenItem.settled.does_not_exist() if token.settled is None else TokenItem.settled == token.settled
    unchanged: Condition = (TokenItem.revision == token.revision) & settled
    return unchanged


def _take_name(transaction: Transaction, token: PermanentToken, displaced: Displaced | None) -> None:
    name = keys.token_name(token.user_id, token.name)
    if displaced is None:
        transaction.take_name(name, token.id, otherwise=_name_taken(token))
        return
    transaction.record(displaced.audit)
    transaction.pass_name(name, displaced.token.id, token.id, otherwise=StaleWrite())
    _remove(transaction, displaced.token, displaced.audit)


def _remove(transaction: Transaction, token: PermanentToken, audit: AuditRecord) -> None:
    """The token, but not its name."""
    transaction.delete(TokenItem.of(token), _unchanged(token), otherwise=StaleWrite())
    _label(transaction, token, token.labels, ())
    _add_event(transaction, token, audit)


def _label(transaction: Transaction, token: PermanentToken, old: Sequence[str], new: Sequence[str]) -> None:
    for label in set(old) - set(new):
        transaction.delete(TokenLabelItem(*keys.token_label(token.user_id, label, token.id)))
    for label in set(new) - set(old):
        transaction.put(TokenLabelItem.of(token, label))


def _add_event(transaction: Transaction, token: PermanentToken, audit: AuditRecord) -> None:
    transaction.put(EventItem.of(event(token, audit)))


def _name_taken(token: PermanentToken) -> NameTaken:
    return NameTaken(f"The account has a permanent token named {token.name!r} already.", "name")
