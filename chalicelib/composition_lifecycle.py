"""Where the parts are put together that look after tokens: policies, leaks, events and who is told of them. Imported
where something is asked of one of these."""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING

from chalicelib.storage.events import DynamoEvents, DynamoQueues
from chalicelib.storage.webhooks import DynamoWebhooks

if TYPE_CHECKING:
    from chalicelib.composition import Keyturn
    from chalicelib.core.event_ports import Destination
    from chalicelib.core.operations.deliveries import Deliveries
    from chalicelib.core.operations.leaks import Leaks
    from chalicelib.core.operations.lifecycle import Lifecycle
    from chalicelib.core.operations.policies import Policies
    from chalicelib.core.operations.webhooks import Webhooks
    from chalicelib.core.webhooks import Webhook
    from chalicelib.guarded_client import GuardedClient
    from chalicelib.scanning.github import GithubReports
    from chalicelib.settings import Settings


class TokenLifecycle:
    """What is demanded of tokens, what becomes of them, and who is told."""

    def __init__(self, keyturn: Keyturn, settings: Settings) -> None:
        """No network is used yet."""
        self._keyturn = keyturn
        self._settings = settings
        self.events = DynamoEvents()
        self._webhook_store = DynamoWebhooks()

    @functools.cached_property
    def policies(self) -> Policies:
        """What services and groups demand of tokens."""
        from chalicelib.core.operations.policies import Policies
        from chalicelib.storage.accounts import DynamoAccounts
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.permanent_tokens import DynamoTokens
        from chalicelib.storage.services import DynamoServices

        stores = DynamoServices(), DynamoGroups(), DynamoAccounts(), DynamoTokens()
        return Policies(self._keyturn.services, self._keyturn.groups, *stores, self._keyturn.policies_in_force)

    @functools.cached_property
    def leaks(self) -> Leaks:
        """Secrets that were found."""
        from chalicelib.core.operations.leaks import Leaks
        from chalicelib.storage.application_passwords import DynamoApplicationPasswords
        from chalicelib.storage.audit import DynamoAudit
        from chalicelib.storage.credentials import DynamoCredentials
        from chalicelib.storage.sessions import DynamoSessions

        stores = DynamoCredentials(), DynamoApplicationPasswords(), DynamoSessions(), DynamoAudit()
        return Leaks(*stores, self._keyturn.exposure(), self._keyturn.guesses, self._keyturn.verifier)

    @functools.cached_property
    def github_reports(self) -> GithubReports:
        """Who signs reports of found secrets?"""
        from urllib.parse import urlsplit

        from chalicelib.federation.fetch import Fetcher
        from chalicelib.scanning.github import GithubReports

        internal = {urlsplit(issuer).hostname or "" for issuer in self._settings.internal_issuers}
        return GithubReports(Fetcher(frozenset(internal)).json, self._settings.github_keys)

    @functools.cached_property
    def webhooks(self) -> Webhooks:
        """The addresses that are told."""
        from chalicelib.core.operations.webhooks import Webhooks

        return Webhooks(self._webhook_store, self._keyturn.keyring, self._webhook)

    @functools.cached_property
    def deliveries(self) -> Deliveries:
        """What is on its way."""
        from chalicelib.core.operations.deliveries import Deliveries

        return Deliveries(self.events, DynamoQueues(), self._destinations, _now)

    @functools.cached_property
    def announcements(self) -> Lifecycle:
        """What will happen to tokens."""
        from chalicelib.core.operations.lifecycle import Lifecycle
        from chalicelib.storage.accounts import DynamoAccounts
        from chalicelib.storage.lifecycle import DynamoWalk
        from chalicelib.storage.permanent_tokens import DynamoTokens
        from chalicelib.storage.services import DynamoServices

        stores = DynamoTokens(), DynamoAccounts(), DynamoServices()
        return Lifecycle(*stores, self._keyturn.policies_in_force, DynamoWalk(), self._settings.notice_days)

    def _destinations(self) -> dict[str, Destination]:
        """All of them, read at this moment."""
        found = [self._webhook(webhook) for webhook in self._webhook_store.list()]
        return {each.id: each for each in (*found, *self._on_aws)}

    @functools.cached_property
    def _on_aws(self) -> tuple[Destination, ...]:
        topic, bus, region = self._settings.event_topic, self._settings.event_bus, self._settings.table.region
        if not topic and not bus:
            return ()
        from chalicelib.delivery.aws import Bus, Topic

        return (*([Topic(topic, region)] if topic else []), *([Bus(bus, region)] if bus else []))

    def _webhook(self, webhook: Webhook) -> Destination:
        from chalicelib.delivery.webhook import WebhookDestination

        return WebhookDestination(webhook, self._webhook_store, self._keyturn.keyring, self._client)

    @functools.cached_property
    def _client(self) -> GuardedClient:
        from chalicelib.delivery.webhook import MAX_ANSWER, SECONDS
        from chalicelib.guarded_client import GuardedClient

        return GuardedClient(self._settings.internal_receivers, SECONDS, MAX_ANSWER)


def _now() -> int:
    return time.time_ns() // 1_000_000
