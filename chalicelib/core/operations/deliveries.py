"""Brings events to their destinations: at least once each, and those of one token in their order.

A token's events to a destination are a queue. Whoever sends them holds it for a while, so no second one sends a later
event first; whoever comes meanwhile leaves a word, and the holder looks again before letting go. A holder that dies
is overdue after a while, and the queue is found by the schedule, as is one whose receiver failed.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.errors import StaleWrite
from chalicelib.core.event_ports import NotDelivered
from chalicelib.core.identifiers import new_id
from chalicelib.core.webhooks import PAUSES_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from chalicelib.core.event_ports import Destination, EventStore, Queue, QueueStore

HELD_MS = 20_000  # longer than one event takes, however slow the receiver
AT_ONCE = 25


class Deliveries:
    """`clock` gives the time in milliseconds since the epoch: sending takes some."""

    def __init__(
        self,
        events: EventStore,
        queues: QueueStore,
        destinations: Callable[[], Mapping[str, Destination]],
        clock: Callable[[], int],
    ) -> None:
        self._events = events
        self._queues = queues
        self._destinations = destinations
        self._clock = clock

    def deliver(self, token_ids: Iterable[str]) -> None:
        """Something has happened to these tokens: tell it, as far as it is not told yet. Raises Unavailable."""
        destinations = self._destinations()
        for token_id in token_ids:
            for destination in destinations.values():
                self._empty(destination, token_id)

    def resend(self, top: int = 100) -> int:
        """Go on with what was put off until now, or was left lying; how many queues that were."""
        waiting = self._queues.waiting(self._clock(), top)
        destinations = self._destinations() if waiting else {}
        for destination_id, token_id in waiting:
            destination = destinations.get(destination_id)
            if destination is None:  # nobody wants to know any more
                self._drop(destination_id, token_id)
            else:
                self._empty(destination, token_id)
        return len(waiting)

    def _empty(self, destination: Destination, token_id: str) -> None:
        now = self._clock()
        queue = self._queues.take(destination.id, token_id, new_id(), now, now + HELD_MS)
        with contextlib.suppress(StaleWrite):  # it took too long, and somebody else goes on
            while queue:
                queue = self._send(destination, queue)
                if queue is None or self._queues.release(queue):
                    break

    def _drop(self, destination_id: str, token_id: str) -> None:
        now = self._clock()
        queue = self._queues.take(destination_id, token_id, new_id(), now, now + HELD_MS)
        with contextlib.suppress(StaleWrite):
            while queue and not self._queues.release(queue):
                pass

    def _send(self, destination: Destination, queue: Queue) -> Queue | None:
        """Send until there is nothing left; None if a receiver failed, and the queue was put off."""
        while events := self._events.after(queue.token_id, queue.sent, AT_ONCE):
            for event in events:
                if destination.wants(event):
                    try:
                        destination.send(event, self._clock())
                    except NotDelivered as reason:
                        now = self._clock()
                        given_up = queue.attempts >= len(PAUSES_MS)
                        destination.failed(event, reason, given_up, now)
                        if not given_up:
                            pause = PAUSES_MS[queue.attempts]
                            self._queues.put_off(replace(queue, attempts=queue.attempts + 1), now + pause)
                            return None
                    else:
                        destination.reached(self._clock())
                now = self._clock()
                through = replace(queue, sent=event.sequence, attempts=0)
                queue = self._queues.advance(through, now, now + HELD_MS)
        return queue
