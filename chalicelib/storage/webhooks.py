"""Webhooks in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import UpdateError

from chalicelib.core.errors import StaleWrite
from chalicelib.core.webhooks import MAX_WEBHOOKS
from chalicelib.storage import keys
from chalicelib.storage.availability import answers_or_unavailable
from chalicelib.storage.collection import read, read_one
from chalicelib.storage.items import WEBHOOKS, WebhookItem, given_up_text
from chalicelib.storage.refused import condition_failed
from chalicelib.storage.table import Item
from chalicelib.storage.transaction import Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pynamodb.attributes import Attribute
    from pynamodb.expressions.update import Action

    from chalicelib.core.audit import AuditRecord
    from chalicelib.core.webhooks import GivenUp, Webhook


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

    def replace(self, old: Webhook, new: Webhook, audit: AuditRecord) -> None:
        described = WebhookItem.of(new)
        actions = [
            WebhookItem.name.set(new.name),
            WebhookItem.position.set(described.position),
            WebhookItem.url.set(new.url),
            WebhookItem.kinds.set(described.kinds),
            WebhookItem.encrypted_secret.set(new.encrypted_secret),
            _set_or_remove(WebhookItem.rotated, new.rotated),
            _set_or_remove(WebhookItem.earlier, described.earlier),
            _set_or_remove(WebhookItem.dead, described.dead),
            WebhookItem.revision.set(new.revision),
        ]
        if new.url != old.url:
            actions += [each.remove() for each in (WebhookItem.failing, WebhookItem.problem, WebhookItem.gone)]
        as_read = WebhookItem.revision == old.revision
        if old.revision == 1:  # one from before there were revisions has none
            as_read |= WebhookItem.pk.exists() & WebhookItem.revision.does_not_exist()
        transaction = Transaction(audit)
        transaction.update(WebhookItem(*keys.webhook(new.id)), actions, as_read, otherwise=StaleWrite())
        transaction.commit()

    def delete(self, webhook: Webhook, audit: AuditRecord) -> None:
        transaction = Transaction(audit)
        transaction.delete(WebhookItem.of(webhook), WebhookItem.pk.exists(), otherwise=StaleWrite())
        transaction.commit()

    def note(self, webhook: Webhook, given_up: GivenUp | None = None) -> None:
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


def _set_or_remove(attribute: Attribute[Any], value: object) -> Action:
    return attribute.remove() if value is None else attribute.set(value)
