"""Webhooks in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import UpdateError

from chalicelib.core.errors import StaleWrite
from chalicelib.core.webhooks import MAX_WEBHOOKS
from chalicelib.storage import keys
from chalicelib.storage.availability import answers_or_unavailable
from chalicelib.storage.collection import read, read_one
from chalicelib.storage.items import WEBHOOKS, WebhookItem
from chalicelib.storage.refused import condition_failed
from chalicelib.storage.table import Item
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.attributes import Attribute
    from pynamodb.expressions.update import Action

    from chalicelib.core.audit import AuditRecord
    from chalicelib.core.webhooks import Webhook


@answers_or_unavailable
class DynamoWebhooks:
    """Implements `core.event_ports.WebhookStore`."""

    def list(self) -> Sequence[Webhook]:
        places = [(each.pk, each.sk) for each in Item.by_collection.query(WEBHOOKS, limit=2 * MAX_WEBHOOKS)]
        found = read(WebhookItem, places)
        return [found[place].to_webhook() for place in places if place in found]

    def get(self, webhook_id: str) -> Webhook | None:
        item = read_one(WebhookItem, keys.webhook(webhook_id))
        return item.to_webhook() if item else None

    def create(self, webhook: Webhook, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.create(WebhookItem.of(webhook), otherwise=StaleWrite())
        transaction.commit()

    def delete(self, webhook: Webhook, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.delete(WebhookItem.of(webhook), WebhookItem.pk.exists(), otherwise=StaleWrite())
        transaction.commit()

    def note(self, webhook: Webhook) -> None:
        actions = [
            _set_or_remove(WebhookItem.failing, webhook.failing),
            _set_or_remove(WebhookItem.problem, webhook.problem),
            *([WebhookItem.gone.set(True)] if webhook.gone else []),
        ]
        try:
            WebhookItem(*keys.webhook(webhook.id)).update(actions, condition=WebhookItem.pk.exists())
        except UpdateError as error:
            if not condition_failed(error):
                raise


def _set_or_remove(attribute: Attribute[Any], value: object) -> Action:
    return attribute.remove() if value is None else attribute.set(value)
