"""Where the parts are put together that look after tokens: policies, leaks, events and where they are sent. Imported
where something is asked of one of these."""

from __future__ import annotations

import functools
import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.composition.shared import SharedParts
    from chalicelib.core.directory.sweeping import Sweeping
    from chalicelib.core.tokens.expiry_notices import ExpiryNotices
    from chalicelib.core.tokens.policies import Policies
    from chalicelib.core.verification.leaks import Leaks
    from chalicelib.core.webhooks.event_delivery import EventDelivery
    from chalicelib.core.webhooks.manage import Webhooks
    from chalicelib.core.webhooks.ports import Destination
    from chalicelib.core.webhooks.rotation import WebhookRenewal
    from chalicelib.core.webhooks.webhook import Webhook
    from chalicelib.outbound.github_reports import GithubReports
    from chalicelib.outbound.guarded_client import GuardedClient
    from chalicelib.settings import Settings


class TokenLifecycle:
    """What is demanded of tokens, what becomes of them, and who is notified."""

    def __init__(self, shared: SharedParts, settings: Settings) -> None:
        """No network is used yet."""
        self._shared = shared
        self._stores = shared.stores
        self._settings = settings
        self.events = self._stores.events

    @functools.cached_property
    def policies(self) -> Policies:
        """What services and groups demand of tokens."""
        from chalicelib.core.tokens.policies import Policies

        stores = self._stores.services, self._stores.groups, self._stores.accounts, self._stores.tokens
        return Policies(self._shared.services, self._shared.groups, *stores, self._shared.effective_policies)

    @functools.cached_property
    def leaks(self) -> Leaks:
        """Secrets that were found."""
        from chalicelib.core.verification.leaks import Leaks

        stores = self._stores.credentials, self._stores.account_credentials, self._stores.audit
        return Leaks(*stores, self._shared.compromise, self._shared.attempt_limiter, self._shared.verifier)

    @functools.cached_property
    def github_reports(self) -> GithubReports:
        """Who signs reports of found secrets?"""
        from urllib.parse import urlsplit

        from chalicelib.outbound.fetch import Fetcher
        from chalicelib.outbound.github_reports import GithubReports

        internal = {urlsplit(issuer).hostname or "" for issuer in self._settings.internal_issuers}
        return GithubReports(Fetcher(frozenset(internal)).json, self._settings.github_keys)

    @functools.cached_property
    def webhooks(self) -> Webhooks:
        """The destinations that events are sent to."""
        from chalicelib.core.webhooks.manage import Webhooks

        stores = self._stores.webhooks, self.events, self._stores.queues
        return Webhooks(*stores, self._shared.keyring, self._webhook)

    @functools.cached_property
    def webhook_renewal(self) -> WebhookRenewal:
        """New secrets for them."""
        from chalicelib.core.webhooks.rotation import WebhookRenewal

        return WebhookRenewal(self._stores.webhooks, self._shared.keyring)

    @functools.cached_property
    def event_delivery(self) -> EventDelivery:
        """What is on its way."""
        from chalicelib.core.webhooks.event_delivery import EventDelivery, Time

        own_time = Time(_now, lambda milliseconds: time.sleep(milliseconds / 1_000), random.random)
        return EventDelivery(self.events, self._stores.queues, self._destinations, own_time)

    @functools.cached_property
    def expiry_notices(self) -> ExpiryNotices:
        """What will happen to tokens."""
        from chalicelib.core.tokens.expiry_notices import ExpiryNotices

        stores = self._stores.tokens, self._stores.accounts, self._stores.services
        return ExpiryNotices(
            *stores, self._shared.effective_policies, self._stores.expiry_sweep, self._settings.notice_days
        )

    @functools.cached_property
    def sweeping(self) -> Sweeping:
        """What deleted accounts and groups have left."""
        from chalicelib.core.directory.sweeping import Sweeping

        return Sweeping(self._stores.sweeps, self._shared.accounts)

    def _destinations(self) -> dict[str, Destination]:
        """All of them, read at this moment."""
        found = [self._webhook(webhook) for webhook in self._stores.webhooks.list()]
        return {each.id: each for each in (*found, *self._on_aws)}

    @functools.cached_property
    def _on_aws(self) -> tuple[Destination, ...]:
        topic, bus, region = self._settings.event_topic, self._settings.event_bus, self._settings.table.region
        if not topic and not bus:
            return ()
        from chalicelib.outbound.event_targets import Bus, Topic

        return (*([Topic(topic, region)] if topic else []), *([Bus(bus, region)] if bus else []))

    def _webhook(self, webhook: Webhook) -> Destination:
        from chalicelib.outbound.webhook import WebhookDestination

        return WebhookDestination(webhook, self._stores.webhooks, self._shared.keyring, self._client)

    @functools.cached_property
    def _client(self) -> GuardedClient:
        from chalicelib.outbound.guarded_client import GuardedClient
        from chalicelib.outbound.webhook import MAX_ANSWER, SECONDS

        return GuardedClient(self._settings.internal_receivers, SECONDS, MAX_ANSWER)


def _now() -> int:
    return time.time_ns() // 1_000_000
