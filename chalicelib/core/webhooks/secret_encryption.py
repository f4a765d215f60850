"""Webhooks' secrets at rest: encrypted while they sign. Of one that has ended, the next change of its webhook leaves
only a tag, by which it is recognised."""

from __future__ import annotations

import base64
import hmac
from typing import TYPE_CHECKING

from chalicelib.core.secrets.keyring import UnknownKey

if TYPE_CHECKING:
    from chalicelib.core.secrets.keyring import Keyring
    from chalicelib.core.webhooks.webhook import Webhook

PURPOSE = "webhook"  # what a secret is encrypted for, with the webhook's id
ENDED = "webhook secret that has ended"


class WebhookSecrets:
    """Those of one webhook."""

    def __init__(self, keyring: Keyring, webhook_id: str) -> None:
        self._keyring = keyring
        self._id = webhook_id

    def encrypt(self, secret: str) -> str:
        """As it rests."""
        return self._keyring.encrypt(secret, f"{PURPOSE} {self._id}")

    def decrypt(self, encrypted: str) -> str | None:
        """The secret; None if it was encrypted under a key that is no longer configured."""
        try:
            return self._keyring.decrypt(encrypted, f"{PURPOSE} {self._id}")
        except UnknownKey:
            return None

    def valid(self, webhook: Webhook, now: int) -> list[str]:
        """All that sign at this moment and can be read, the current one first."""
        secrets = webhook.secrets
        found = map(self.decrypt, (secrets.current, *(each.stored for each in reversed(secrets.valid_previous(now)))))
        return [each for each in found if each is not None]

    def matches(self, secret: str, encrypted: str) -> bool:
        """Whether the secret is this one."""
        readable = self.decrypt(encrypted)
        return readable is not None and hmac.compare_digest(secret.encode(), readable.encode())

    def tag(self, encrypted: str) -> str | None:
        """By what the secret is recognised once it has ended; None if it cannot be read any more."""
        secret = self.decrypt(encrypted)
        if secret is None:
            return None
        return base64.b64encode(self._keyring.sign(secret.encode(), f"{ENDED} {self._id}")).decode()

    def has_ended(self, webhook: Webhook, secret: str) -> bool:
        """Whether it is one of the last that have."""
        return any(
            self._keyring.has_signed(secret.encode(), base64.b64decode(tag), f"{ENDED} {self._id}")
            for tag in webhook.retired_secrets
        )
