"""Webhooks in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import UpdateError

from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.webhooks.webhook import MAX_WEBHOOKS, name_taken
from chalicelib.storage.collection import read, read_one
from chalicelib.storage.engine import keys
from chalicelib.storage.engine.availability import translate_database_errors
from chalicelib.storage.engine.conditional_failures import condition_failed
from chalicelib.storage.engine.table import Item
from chalicelib.storage.items import WEBHOOKS, NameItem, WebhookItem, given_up_text
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.attributes import Attribute
    from pynamodb.expressions.condition import Condition
    from pynamodb.expressions.update import Action

    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.webhooks.webhook import GivenUp, Webhook


@translate_database_errors
class DynamoWebhooks:
    """Implements `core.webhooks.ports.WebhookStore`."""

    def list(self) -> Sequence[Webhook]:
        item_keys = [(each.pk, each.sk) for each in Item.by_collection.query(WEBHOOKS, limit=2 * MAX_WEBHOOKS)]
        found = read(WebhookItem, item_keys)
        return [found[item_key].to_webhook() for item_key in item_keys if item_key in found]

    def get(self, webhook_id: str) -> Webhook | None:
        item = read_one(WebhookItem, keys.webhook(webhook_id))
        return item.to_webhook() if item else None

    def create(self, webhook: Webhook, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.create(WebhookItem.of(webhook), otherwise=StaleWrite())
        self._take_name(transaction, webhook)
        transaction.commit()

    def replace(self, old: Webhook, new: Webhook, audit: AuditRecord) -> None:
        described = WebhookItem.of(new)
        actions = [
            WebhookItem.name.set(new.name),
            WebhookItem.position.set(described.position),
            WebhookItem.url.set(new.url),
            WebhookItem.kinds.set(described.kinds),
            WebhookItem.encrypted_secret.set(new.encrypted_secret),
            _set_or_remove(WebhookItem.rotated, new.rotated),
            _set_or_remove(WebhookItem.previous_secrets, described.previous_secrets),
            _set_or_remove(WebhookItem.retired_secrets, described.retired_secrets),
            WebhookItem.revision.set(new.revision),
        ]
        if new.url != old.url:
            actions += [each.remove() for each in (WebhookItem.failing, WebhookItem.problem, WebhookItem.gone)]
        transaction = Transaction(audit)
        transaction.update(WebhookItem(*keys.webhook(new.id)), actions, _as_read(old), otherwise=StaleWrite())
        if old.unique_name != new.unique_name:
            _free_name(transaction, old)
            self._take_name(transaction, new)
        transaction.commit()

    def delete(self, webhook: Webhook, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.delete(WebhookItem.of(webhook), _as_read(webhook), otherwise=StaleWrite())
        _free_name(transaction, webhook)
        transaction.commit()

    def _take_name(self, transaction: Transaction, webhook: Webhook) -> None:
        """Versions that knew no unique names leave marks behind of webhooks that they delete or rename."""
        key, taken = keys.webhook_name(webhook.name), name_taken(webhook)
        mark = read_one(NameItem, key)
        holder = self.get(mark.holder_id) if mark else None
        if mark is None or (holder and holder.unique_name == webhook.unique_name):
            transaction.take_name(key, webhook.id, otherwise=taken)
            return
        if mark.holder_id != webhook.id:
            still = _as_read(holder) if holder else WebhookItem.pk.does_not_exist()
            transaction.check(WebhookItem(*keys.webhook(mark.holder_id)), still, otherwise=taken)
        transaction.pass_name(key, mark.holder_id, webhook.id, otherwise=taken)

    def update_system_fields(self, webhook: Webhook, given_up: GivenUp | None = None) -> None:
        actions = [
            _set_or_remove(WebhookItem.failing, webhook.failing),
            _set_or_remove(WebhookItem.problem, webhook.problem),
            *([WebhookItem.gone.set(True)] if webhook.gone else []),
            *([WebhookItem.succeeded.set(webhook.succeeded)] if webhook.succeeded is not None else []),
        ]
        if given_up:
            actions += [WebhookItem.given_up.set(given_up_text(given_up)), WebhookItem.given_ups.add(1)]
        try:
            WebhookItem(*keys.webhook(webhook.id)).update(actions, condition=WebhookItem.url == webhook.url)
        except UpdateError as error:
            if not condition_failed(error):
                raise


def _as_read(webhook: Webhook) -> Condition:
    """It is there with this revision; one from before there were revisions has none."""
    as_read: Condition = WebhookItem.revision == webhook.revision
    if webhook.revision == 1:
        as_read |= WebhookItem.pk.exists() & WebhookItem.revision.does_not_exist()
    return as_read


def _free_name(transaction: Transaction, webhook: Webhook) -> None:
    """If it has taken it: of one from before names were unique, another may have. It takes one only together with its
    next revision, which the transaction would see."""
    key = keys.webhook_name(webhook.name)
    mark = read_one(NameItem, key)
    if mark and mark.holder_id == webhook.id:
        transaction.delete(NameItem(*key), NameItem.holder_id == webhook.id, otherwise=StaleWrite())


def _set_or_remove(attribute: Attribute[Any], value: object) -> Action:
    return attribute.remove() if value is None else attribute.set(value)
