"""An event on its way to a webhook. Source: Standard Webhooks (standardwebhooks.com), sections "Webhook headers",
"Signature scheme", "Response and timeouts"."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.webhooks.ports import NotDelivered
from chalicelib.core.webhooks.secret_encryption import WebhookSecrets
from chalicelib.core.webhooks.webhook import SUCCESS_WINDOW_MS, GivenUp, signatures
from chalicelib.outbound.guarded_client import Unreachable

if TYPE_CHECKING:
    from chalicelib.core.secrets.keyring import Keyring
    from chalicelib.core.tokens.event import Event
    from chalicelib.core.webhooks.ports import WebhookStore
    from chalicelib.core.webhooks.webhook import Webhook
    from chalicelib.outbound.guarded_client import GuardedClient

SECONDS = 5.0  # for an answer: a slow receiver is asked again, and holds up nobody else's events for long
MAX_ANSWER = 64 * 1024


class WebhookDestination:
    """Implements `core.webhooks.ports.Destination`."""

    def __init__(self, webhook: Webhook, store: WebhookStore, keyring: Keyring, client: GuardedClient) -> None:
        self._webhook = webhook
        self._store = store
        self._secrets = WebhookSecrets(keyring, webhook.id)
        self._client = client

    @property
    def id(self) -> str:
        """The webhook's."""
        return self._webhook.id

    @property
    def failing(self) -> int | None:
        """Since when; not of one that is gone, to which nothing is sent any more."""
        return None if self._webhook.gone else self._webhook.failing

    def accepts(self, event: Event) -> bool:
        """What it asked for, and only what happened since it was created."""
        return self._webhook.accepts(event.kind) and event.at >= self._webhook.created

    def send(self, event: Event, now: int) -> None:
        """POST it, signed by every live secret. Anything but 2xx is a failure."""
        body = json.dumps(event.message(), ensure_ascii=False, separators=(",", ":")).encode()
        valid_secrets = self._secrets.valid(self._webhook, now)
        if not valid_secrets:
            raise NotDelivered("its secret is encrypted with a key that is no longer configured; create a new secret")
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Keyturn-Webhooks/1",
            "webhook-id": event.id,
            "webhook-timestamp": str(now // 1000),
            "webhook-signature": signatures(valid_secrets, event.id, now // 1000, body),
        }
        try:
            status, _ = self._client.request("POST", self._webhook.url, headers, body)
        except Unreachable as error:
            raise NotDelivered(str(error)) from None
        if not 200 <= status < 300:
            raise NotDelivered(f"it answered with {status}", gone=status == 410)

    def mark_delivered(self, now: int) -> None:
        """It answers: noted if it did not, and otherwise seldom."""
        known = self._webhook
        if known.failing is not None or known.succeeded is None or now - known.succeeded >= SUCCESS_WINDOW_MS:
            self._update_state(replace(known, failing=None, problem=None, succeeded=now))

    def failed(self, event: Event, reason: NotDelivered, given_up: bool, now: int) -> None:
        """Keep since when it fails, and why, and what was given up, for whoever looks at it."""
        known, problem = self._webhook, str(reason)[:300]
        lost = GivenUp(event.id, event.kind.value, event.token_id, now, problem) if given_up else None
        self._update_state(replace(known, failing=known.failing or now, problem=problem, gone=reason.gone), lost)

    def _update_state(self, webhook: Webhook, given_up: GivenUp | None = None) -> None:
        if given_up or webhook != self._webhook:
            self._store.update_system_fields(webhook, given_up)
            self._webhook = webhook
