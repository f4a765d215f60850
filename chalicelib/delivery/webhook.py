"""An event on its way to a webhook. Source: Standard Webhooks (standardwebhooks.com), sections "Webhook headers",
"Signature scheme", "Response and timeouts"."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.event_ports import NotDelivered
from chalicelib.core.operations.webhooks import PURPOSE
from chalicelib.core.webhooks import signature
from chalicelib.guarded_client import Unreachable

if TYPE_CHECKING:
    from chalicelib.core.credentials.keyring import Keyring
    from chalicelib.core.event_ports import WebhookStore
    from chalicelib.core.events import Event
    from chalicelib.core.webhooks import Webhook
    from chalicelib.guarded_client import GuardedClient

SECONDS = 5.0  # for an answer: a slow receiver is asked again, and holds up nobody else's events for long
MAX_ANSWER = 64 * 1024


class WebhookDestination:
    """Implements `core.event_ports.Destination`."""

    def __init__(self, webhook: Webhook, store: WebhookStore, keyring: Keyring, client: GuardedClient) -> None:
        self._webhook = webhook
        self._store = store
        self._keyring = keyring
        self._client = client

    @property
    def id(self) -> str:
        """The webhook's."""
        return self._webhook.id

    def wants(self, event: Event) -> bool:
        """What it asked for, and only what happened since it was created."""
        return self._webhook.wants(event.kind) and event.at >= self._webhook.created

    def send(self, event: Event, now: int) -> None:
        """POST it, signed. Anything but 2xx is a failure."""
        body = json.dumps(event.message(), ensure_ascii=False, separators=(",", ":")).encode()
        secret = self._keyring.decrypt(self._webhook.encrypted_secret, f"{PURPOSE} {self._webhook.id}")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Keyturn-Webhooks/1",
            "webhook-id": event.id,
            "webhook-timestamp": str(now // 1000),
            "webhook-signature": signature(secret, event.id, now // 1000, body),
        }
        try:
            status, _ = self._client.request("POST", self._webhook.url, headers, body)
        except Unreachable as error:
            raise NotDelivered(str(error)) from None
        if not 200 <= status < 300:
            raise NotDelivered(f"it answered with {status}", gone=status == 410)

    def reached(self) -> None:
        """It answers again, if it did not."""
        if self._webhook.failing is not None:
            self._note(replace(self._webhook, failing=None, problem=None))

    def failed(self, event: Event, reason: NotDelivered, given_up: bool, now: int) -> None:
        """Keep since when it fails, and why, for whoever looks at it."""
        problem = f"{event.kind.value} {event.id} was given up: {reason}" if given_up else str(reason)
        failing = self._webhook.failing or now
        self._note(replace(self._webhook, failing=failing, problem=problem[:300], gone=reason.gone))

    def _note(self, webhook: Webhook) -> None:
        if webhook != self._webhook:
            self._store.note(webhook)
            self._webhook = webhook
