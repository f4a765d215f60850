"""A webhook gets a new secret, and those before it sign on until their ends.

As rotation of permanent tokens (ADR 17): an answer that was lost costs nothing, since the secret before is still good,
or the client supplied the new one itself and asks again.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.optimistic_retry import retry_persistently
from chalicelib.core.secrets.previous_secrets import require_grace
from chalicelib.core.webhooks.manage import CreatedWebhook, existing
from chalicelib.core.webhooks.secret_encryption import WebhookSecrets
from chalicelib.core.webhooks.webhook import new_secret, validate_client_supplied_secret

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.secrets.keyring import Keyring
    from chalicelib.core.webhooks.ports import WebhookStore
    from chalicelib.core.webhooks.webhook import Webhook


class WebhookRenewal:
    """For administrators. Messages are signed by every live secret, so receivers may change over at any time."""

    def __init__(self, store: WebhookStore, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring

    def renew(self, caller: Caller, webhook_id: str, grace_ms: int, secret: str | None = None) -> CreatedWebhook:
        """The webhook with a new secret, in the only answer that ever holds it. The one before signs for `grace_ms`
        milliseconds more; without grace, every earlier one ends at once.

        A `secret` that is supplied and is the current one already changes nothing, and one that was the webhook's
        before is refused: it may be in other hands. Raises Invalid (`grace`, `secret`), Forbidden, NotFound, or
        Conflict (too many secrets are good at the same time).
        """
        supplied = None if secret is None else validate_client_supplied_secret(secret)
        require_grace(grace_ms)
        make_secret = functools.cache(lambda: supplied or new_secret())

        def attempt() -> CreatedWebhook:
            permit = caller.require(Operation.RENEW_WEBHOOK_SECRET)
            old = existing(self._store, webhook_id)
            shown, at_rest = make_secret(), WebhookSecrets(self._keyring, old.id)
            if supplied and at_rest.matches(supplied, old.encrypted_secret):
                return CreatedWebhook(old, supplied)
            if supplied and _was_before(supplied, old, at_rest):
                raise Invalid("secret", "was a secret of this webhook before. Supply a new one.")
            renewed = old.secrets.rotated_to(at_rest.encrypt(shown), grace_ms, caller.now)
            renewed.require_room("webhook", otherwise=", or create one without a grace period")
            new = old.with_secrets(renewed, at_rest.tag)
            details = {"name": old.name, "grace": f"{grace_ms // 1000} s"}
            record = permit.record("webhook.secret-renewed", "webhook", old.id, details=details)
            self._store.replace(old, new, record)
            return CreatedWebhook(new, shown)

        return retry_persistently(attempt)

    def made(self, caller: Caller, webhook_id: str, secret: str | None) -> CreatedWebhook:
        """What `renew`, or creating it, made: with its secret only if that was supplied, and is the current one.
        Raises Invalid (`secret`), Forbidden or NotFound."""
        caller.check(Operation.READ_WEBHOOKS)
        webhook = existing(self._store, webhook_id)
        if secret is None:
            return CreatedWebhook(webhook)
        supplied = validate_client_supplied_secret(secret)
        is_current = WebhookSecrets(self._keyring, webhook.id).matches(supplied, webhook.encrypted_secret)
        return CreatedWebhook(webhook, supplied if is_current else None)

    def has_current(self, caller: Caller, webhook_id: str, secret: str) -> tuple[Webhook, bool]:
        """The webhook, and whether the `secret` that is supplied is its current one, for whoever could make it so.

        Raises Invalid (`secret`), Forbidden or NotFound.
        """
        supplied = validate_client_supplied_secret(secret)
        caller.require(Operation.RENEW_WEBHOOK_SECRET)
        webhook = existing(self._store, webhook_id)
        return webhook, WebhookSecrets(self._keyring, webhook.id).matches(supplied, webhook.encrypted_secret)

    def roll_back(self, caller: Caller, webhook_id: str, kept: str) -> Webhook:
        """The webhook with the earlier secret `kept` as the current one again, without end, for whoever could not put a
        newer one where it belongs; all that are newer end at once.

        Where it is the current one already, nothing changes, so that the request can be repeated. Raises Forbidden,
        NotFound, or Invalid (`keep` is no secret of the webhook that is still good).
        """

        def attempt() -> Webhook:
            permit = caller.require(Operation.RENEW_WEBHOOK_SECRET)
            old = existing(self._store, webhook_id)
            at_rest = WebhookSecrets(self._keyring, old.id)
            if at_rest.matches(kept, old.encrypted_secret):
                return old
            valid_secrets = old.secrets.valid_previous(caller.now)
            previous = next((each for each in valid_secrets if at_rest.matches(kept, each.stored)), None)
            if previous is None:
                raise Invalid("keep", "must be a previous secret of this webhook that is still valid.")
            new = old.with_secrets(old.secrets.rolled_back_to(previous, caller.now), at_rest.tag)
            record = permit.record("webhook.secret-renewal-taken-back", "webhook", old.id, details={"name": old.name})
            self._store.replace(old, new, record)
            return new

        return retry_persistently(attempt)


def _was_before(secret: str, webhook: Webhook, at_rest: WebhookSecrets) -> bool:
    was_previous = any(at_rest.matches(secret, each.stored) for each in webhook.previous_secrets)
    return was_previous or at_rest.has_ended(webhook, secret)
