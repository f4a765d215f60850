"""Webhooks: created, listed, tried, deleted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chalicelib.core import names, webhooks
from chalicelib.core.authorization import Operation
from chalicelib.core.errors import Conflict, Invalid, NotFound, StaleWrite
from chalicelib.core.event_ports import NotDelivered
from chalicelib.core.events import Event, EventKind
from chalicelib.core.identifiers import new_id
from chalicelib.core.webhooks import MAX_WEBHOOKS, Webhook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.core.caller import Caller
    from chalicelib.core.credentials.keyring import Keyring
    from chalicelib.core.event_ports import Destination, WebhookStore

PURPOSE = "webhook"  # what its secret is encrypted for


@dataclass(frozen=True, slots=True)
class CreatedWebhook:
    """A webhook; `secret` only in the answer that creates it."""

    webhook: Webhook
    secret: str | None = field(default=None, repr=False)


class Webhooks:
    """For administrators."""

    def __init__(self, store: WebhookStore, keyring: Keyring, destination: Callable[[Webhook], Destination]) -> None:
        self._store = store
        self._keyring = keyring
        self._destination = destination

    def all(self, caller: Caller) -> Sequence[Webhook]:
        """All, by name. Raises Forbidden."""
        caller.check(Operation.READ_WEBHOOKS)
        return self._store.list()

    def get(self, caller: Caller, webhook_id: str) -> Webhook:
        """One. Raises Forbidden or NotFound."""
        caller.check(Operation.READ_WEBHOOKS)
        return self._existing(webhook_id)

    def create(self, caller: Caller, name: str, url: str, kinds: Sequence[EventKind]) -> CreatedWebhook:
        """A new one, told of what happens from now on; the only answer that holds its secret.

        Raises Invalid, Forbidden, or Conflict (there are too many).
        """
        permit = caller.require(Operation.CREATE_WEBHOOK)
        if len(self._store.list()) >= MAX_WEBHOOKS:
            raise Conflict(f"There can be at most {MAX_WEBHOOKS} webhooks.")
        id, secret = new_id(), webhooks.new_secret()
        webhook = Webhook(
            id=id,
            name=names.name(name),
            url=webhooks.url(url),
            kinds=tuple(dict.fromkeys(kinds)),
            encrypted_secret=self._keyring.encrypt(secret, f"{PURPOSE} {id}"),
            created=caller.now,
        )
        details = {"name": webhook.name, "url": webhook.url}
        self._store.create(webhook, permit.record("webhook.created", "webhook", id, details=details))
        return CreatedWebhook(webhook, secret)

    def test(self, caller: Caller, webhook_id: str) -> None:
        """Send an event that never happened. If it arrives, nothing is failing any more; but a webhook that wanted to
        be told nothing any more stays so, as a new one takes a recent login and leaves a record.

        Raises Forbidden, NotFound, or Invalid (`url`: it did not take it).
        """
        caller.check(Operation.TEST_WEBHOOK)
        webhook = self._existing(webhook_id)
        event = Event(new_id(), EventKind.CREATED, caller.now, "0", 0, caller.user.id, caller.user.id, {"name": "test"})
        try:
            self._destination(webhook).send(event, caller.now)
        except NotDelivered as reason:
            raise Invalid("url", f"did not take the test: {reason}.") from None
        if not webhook.gone and webhook.failing is not None:
            self._store.note(replace(webhook, failing=None, problem=None))

    def delete(self, caller: Caller, webhook_id: str) -> None:
        """It is told nothing any more. Raises Forbidden or NotFound."""
        permit = caller.require(Operation.DELETE_WEBHOOK)
        webhook = self._existing(webhook_id)
        record = permit.record("webhook.deleted", "webhook", webhook.id, details={"name": webhook.name})
        try:
            self._store.delete(webhook, record)
        except StaleWrite:
            raise NotFound("webhook", webhook_id) from None

    def _existing(self, webhook_id: str) -> Webhook:
        webhook = self._store.get(webhook_id) if names.may_refer(webhook_id) else None
        if webhook is None:
            raise NotFound("webhook", webhook_id)
        return webhook
