"""Where the parts are put together that tell events. Imported where something is told or asked about it."""

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
    from chalicelib.core.operations.lifecycle import Lifecycle
    from chalicelib.core.operations.webhooks import Webhooks
    from chalicelib.core.webhooks import Webhook
    from chalicelib.guarded_client import GuardedClient
    from chalicelib.settings import Settings


class Telling:
    """Who is told what happens to tokens."""

    def __init__(self, keyturn: Keyturn, settings: Settings) -> None:
        """No network is used yet."""
        self._keyturn = keyturn
        self._settings = settings
        self.events = DynamoEvents()
        self._webhook_store = DynamoWebhooks()

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
    def lifecycle(self) -> Lifecycle:
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
