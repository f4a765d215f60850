"""Webhooks: created, listed, changed, tried, deleted. Their secrets: `webhook_renewal`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import changes
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, Invalid, NotFound
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import require_seen, retry_persistently
from chalicelib.core.tokens.event import Event, EventKind
from chalicelib.core.webhooks.ports import NotDelivered
from chalicelib.core.webhooks.secret_encryption import WebhookSecrets
from chalicelib.core.webhooks.webhook import (
    ATTEMPTS,
    MAX_WEBHOOKS,
    Webhook,
    name_taken,
    new_secret,
    valid_url,
    validate_client_supplied_secret,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.secrets.keyring import Keyring
    from chalicelib.core.webhooks.ports import Destination, EventStore, QueueStore, WebhookStore

LOOKED_AT = 100  # queues of all destinations, to find those of one: a request that shows a webhook does no more
MOST_COUNTED = 100  # messages that wait; that there are more is said


@dataclass(frozen=True, slots=True)
class CreatedWebhook:
    """A webhook; `secret` only in the answer that creates it or renews its secret."""

    webhook: Webhook
    secret: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What is to be so; None leaves it as it is."""

    name: str | None = None
    url: str | None = None
    kinds: Sequence[EventKind] | None = None

    def of(self, old: Webhook) -> Webhook:
        """The webhook with it. At another address nothing is known of how it answers. Raises Invalid."""
        new = replace(
            old,
            name=old.name if self.name is None else validation.name(self.name),
            url=old.url if self.url is None else valid_url(self.url),
            kinds=old.kinds if self.kinds is None else tuple(dict.fromkeys(self.kinds)),
        )
        return new if new.url == old.url else replace(new, failing=None, problem=None, gone=False)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for a webhook: how many messages (MOST_COUNTED: so many or more); when the next try is, in
    milliseconds since the epoch, and which of how many that is."""

    messages: int = 0
    next_try: int | None = None
    attempt: int | None = None
    attempts: int = ATTEMPTS


class Webhooks:
    """For administrators."""

    def __init__(
        self,
        store: WebhookStore,
        events: EventStore,
        queues: QueueStore,
        keyring: Keyring,
        destination: Callable[[Webhook], Destination],
    ) -> None:
        self._store = store
        self._events = events
        self._queues = queues
        self._keyring = keyring
        self._destination = destination

    def all(self, caller: Caller) -> Sequence[Webhook]:
        """All, by name. Raises Forbidden."""
        caller.check(Operation.READ_WEBHOOKS)
        return self._store.list()

    def get(self, caller: Caller, webhook_id: str) -> Webhook:
        """One. Raises Forbidden or NotFound."""
        caller.check(Operation.READ_WEBHOOKS)
        return existing(self._store, webhook_id)

    def backlog(self, caller: Caller, webhook: Webhook) -> Backlog:
        """What waits for it. Raises Forbidden."""
        caller.check(Operation.READ_WEBHOOKS)
        waiting = self._queues.backlog(webhook.id, LOOKED_AT)
        destination, messages = self._destination(webhook), 0
        first = None
        for queue in waiting:
            if messages >= MOST_COUNTED:
                break
            left = self._events.after(queue.token_id, queue.sent, MOST_COUNTED - messages)
            wanted = sum(map(destination.accepts, left))
            first = first or (queue if wanted else None)
            messages += wanted
        if first is None:
            return Backlog()
        return Backlog(messages, first.due, first.attempts + 1)

    def create(
        self, caller: Caller, name: str, url: str, kinds: Sequence[EventKind], secret: str | None = None
    ) -> CreatedWebhook:
        """A new one, sent what happens from now on; the only answer that holds its secret. A `secret` may be
        supplied (`core.webhooks.webhook.validate_client_supplied_secret`).

        Raises Invalid, Forbidden, or Conflict (another has the name, or there are too many).
        """
        shown = new_secret() if secret is None else validate_client_supplied_secret(secret)
        permit = caller.require(Operation.CREATE_WEBHOOK)
        id = new_id()
        webhook = Webhook(
            id=id,
            name=validation.name(name),
            url=valid_url(url),
            kinds=tuple(dict.fromkeys(kinds)),
            encrypted_secret=WebhookSecrets(self._keyring, id).encrypt(shown),
            created=caller.now,
        )
        there = self._store.list()
        _require_unique(webhook, there)
        if len(there) >= MAX_WEBHOOKS:
            raise Conflict(f"There can be at most {MAX_WEBHOOKS} webhooks.")
        details = {"name": webhook.name, "url": _without_query(webhook.url)}
        self._store.create(webhook, permit.record("webhook.created", "webhook", id, details=details))
        return CreatedWebhook(webhook, shown)

    def update(self, caller: Caller, webhook_id: str, change: WebhookChange, seen: int | None = None) -> Webhook:
        """The webhook, changed. At another address it is sent events again, also if it was gone, and what waits for it
        goes there, from the first try: also where it has that address already, so that the request can be repeated.

        Raises Invalid, Forbidden, NotFound, Conflict (another has the name); Changed unless it has still the revision
        `seen`, if one is given.
        """

        def attempt() -> tuple[Webhook, bool]:
            permit = caller.require(Operation.UPDATE_WEBHOOK)
            old = existing(self._store, webhook_id)
            require_seen(seen, old.revision)
            new = change.of(old)
            if new == old:
                return old, change.url is not None
            if new.unique_name != old.unique_name:
                _require_unique(new, self._store.list())
            ended_apart = new.secrets.without_ended(caller.now)
            new = new.with_secrets(ended_apart, WebhookSecrets(self._keyring, old.id).tag)
            details = {"name": new.name, **changes(_Recorded.of(old), _Recorded.of(new), "name", "url", "kinds")}
            self._store.replace(old, new, permit.record("webhook.updated", "webhook", old.id, details=details))
            return new, new.url != old.url

        webhook, moved = retry_persistently(attempt)
        if moved:
            self._try_again(webhook, caller.now)
        return webhook

    def test(self, caller: Caller, webhook_id: str) -> None:
        """Send an event that never happened. If it arrives, nothing is failing any more, and what waits is tried again
        within a minute; but a webhook that wanted to be sent nothing any more stays so, as sending to it again takes a
        recent login and leaves a record.

        Raises Forbidden, NotFound, or Invalid (`url`: it did not take it).
        """
        caller.check(Operation.TEST_WEBHOOK)
        webhook = existing(self._store, webhook_id)
        event = Event(new_id(), EventKind.CREATED, caller.now, "0", 0, caller.user.id, caller.user.id, {"name": "test"})
        try:
            self._destination(webhook).send(event, caller.now)
        except NotDelivered as reason:
            raise Invalid("url", f"did not accept the test event: {reason}.") from None
        if not webhook.gone:
            self._store.update_system_fields(replace(webhook, failing=None, problem=None, succeeded=caller.now))
            self._try_again(webhook, caller.now)

    def delete(self, caller: Caller, webhook_id: str) -> None:
        """It is sent nothing any more. Raises Forbidden or NotFound."""

        def attempt() -> None:
            permit = caller.require(Operation.DELETE_WEBHOOK)
            webhook = existing(self._store, webhook_id)
            record = permit.record("webhook.deleted", "webhook", webhook.id, details={"name": webhook.name})
            self._store.delete(webhook, record)

        retry_persistently(attempt)

    def _try_again(self, webhook: Webhook, now: int) -> None:
        """What waits need not wait any longer: it is sent with the next run of the schedule. As far as it is among the
        first LOOKED_AT; what is not comes when it is due."""
        for queue in self._queues.backlog(webhook.id, LOOKED_AT):
            if not queue.held:
                self._queues.hasten(webhook.id, queue.token_id, now)


def existing(store: WebhookStore, webhook_id: str) -> Webhook:
    """The webhook. Raises NotFound."""
    webhook = store.get(webhook_id) if validation.could_be_identifier(webhook_id) else None
    if webhook is None:
        raise NotFound("webhook", webhook_id)
    return webhook


def _require_unique(webhook: Webhook, there: Sequence[Webhook]) -> None:
    """Raises Conflict. The store keeps two new ones apart; one from before names were unique is known by the list."""
    if any(each.unique_name == webhook.unique_name and each.id != webhook.id for each in there):
        raise name_taken(webhook)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A webhook as audit records name it."""

    name: str
    url: str
    kinds: str

    @classmethod
    def of(cls, webhook: Webhook) -> _Recorded:
        kinds = ", ".join(kind.value for kind in webhook.kinds)
        return cls(webhook.name, _without_query(webhook.url), kinds or "everything")


def _without_query(url: str) -> str:
    """An address as it may be kept for years and read by others: receivers take keys in queries."""
    address, question_mark, _ = url.partition("?")
    return f"{address}?…" if question_mark else address
