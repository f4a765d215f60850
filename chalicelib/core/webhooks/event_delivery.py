"""Brings events to their destinations: at least once each, and those of one token in their order.

A token's events to a destination are a queue. Whoever sends them holds it for a while, so no second one sends a later
event first; whoever comes meanwhile leaves a word, and the holder looks again before letting go. A holder that dies
is overdue after a while, and the queue is found by the schedule, as is one whose receiver failed.

Destinations are served beside each other, so that a slow one holds up no other. The first try again comes seconds after
the failure, which is sooner than the schedule: whoever has just sent events waits for it, while the failing is new
(`NEW_MS`); afterwards the schedule's run stays for its minute, as long as something fails (`STAYS_MS`).
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.webhooks.ports import NotDelivered
from chalicelib.core.webhooks.webhook import JITTER, PAUSES_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from chalicelib.core.webhooks.ports import Destination, EventStore, Queue, QueueStore

HELD_MS = 20_000  # longer than one event takes, however slow the receiver
AT_ONCE = 25
# A destination that fails for no longer than this is waited for by whoever sent it something: the schedule's run, which
# begins every minute, may not know yet that it fails.
NEW_MS = 75_000
STAYS_MS = 3_600_000  # for what fails for longer, the first try again comes with the next minute: a run costs money
LOOKS_MS = 1_000  # between two looks of the schedule's run


@dataclass(frozen=True, slots=True)
class Time:
    """`now` gives the time in milliseconds since the epoch: sending takes some. `wait` lets so many milliseconds pass;
    `chance` is from 0 to 1, another one each time."""

    now: Callable[[], int]
    wait: Callable[[int], None]
    chance: Callable[[], float]


class EventDelivery:
    """`until`, in milliseconds since the epoch, is when whoever calls may not begin to send any more; None: nothing
    limits it, and it waits for nothing."""

    def __init__(
        self, events: EventStore, queues: QueueStore, destinations: Callable[[], Mapping[str, Destination]], time: Time
    ) -> None:
        self._events = events
        self._queues = queues
        self._destinations = destinations
        self._time = time

    def deliver(self, token_ids: Iterable[str], until: int | None = None) -> None:
        """Something has happened to these tokens: send it, as far as it is not sent yet. Raises Unavailable."""
        destinations, tokens = self._destinations(), list(token_ids)
        self._beside_each_other([partial(self._send_events, each, tokens, until) for each in destinations.values()])

    def resend(self, until: int | None = None, top: int = 100) -> int:
        """Go on with what was put off until now, or was left lying, and with what comes due while this stays; how many
        queues that were."""
        done = 0
        while True:
            done += self._resend_due(until, top)
            if until is None or not self._is_worth_staying(until):
                return done
            self._time.wait(LOOKS_MS)

    def _resend_due(self, until: int | None, top: int) -> int:
        waiting = self._queues.waiting(self._time.now(), top)
        destinations = self._destinations() if waiting else {}
        queues: dict[str, list[str]] = {}
        for destination_id, token_id in waiting:
            queues.setdefault(destination_id, []).append(token_id)
        go_on = self._go_on
        self._beside_each_other([partial(go_on, destinations.get(id), id, own, until) for id, own in queues.items()])
        return len(waiting)

    def _is_worth_staying(self, until: int) -> bool:
        now = self._time.now()
        if now + LOOKS_MS >= until:
            return False
        if self._queues.waiting(until, 1):
            return True
        failing = [each.failing for each in self._destinations().values()]
        return any(since is not None and now - since < STAYS_MS for since in failing)

    def _beside_each_other(self, works: Sequence[Callable[[], None]]) -> None:
        """Raises what one of them raises, when all are done."""
        if len(works) == 1:
            works[0]()
        elif works:
            with ThreadPoolExecutor(len(works), "destination") as pool:
                for begun in [pool.submit(work) for work in works]:
                    begun.result()

    def _send_events(self, destination: Destination, token_ids: list[str], until: int | None) -> None:
        """Also what failed, once more, if that is soon enough."""
        retries = []
        began = self._time.now()
        for token_id in token_ids:
            if self._is_late(until):
                self._leave(destination.id, token_id)
                continue
            due = self._empty(destination, token_id, until)
            if due is not None:
                retries.append((due, token_id))
        if until is None or (destination.failing is not None and began - destination.failing >= NEW_MS):
            return
        for due, token_id in sorted(retries):
            if due >= until:
                break
            self._time.wait(max(0, due - self._time.now()))
            self._empty(destination, token_id, until)

    def _go_on(
        self, destination: Destination | None, destination_id: str, token_ids: list[str], until: int | None
    ) -> None:
        for token_id in token_ids:
            if destination is None:  # nobody wants to know any more
                self._drop(destination_id, token_id)
            elif not self._is_late(until):  # what is left out is found again
                self._empty(destination, token_id, until)

    def _is_late(self, until: int | None) -> bool:
        return until is not None and self._time.now() >= until

    def _empty(self, destination: Destination, token_id: str, until: int | None) -> int | None:
        """When it is tried again, if that failed."""
        now = self._time.now()
        queue = self._queues.take(destination.id, token_id, new_id(), now, now + HELD_MS)
        with contextlib.suppress(StaleWrite):  # it took too long, and somebody else goes on
            while queue:
                sent = self._send(destination, queue, until)
                if isinstance(sent, int):
                    return sent
                if self._queues.release(sent):
                    break
        return None

    def _drop(self, destination_id: str, token_id: str) -> None:
        now = self._time.now()
        queue = self._queues.take(destination_id, token_id, new_id(), now, now + HELD_MS)
        with contextlib.suppress(StaleWrite):
            while queue and not self._queues.release(queue):
                pass

    def _leave(self, destination_id: str, token_id: str) -> None:
        """For the schedule, since there is no time left."""
        now = self._time.now()
        queue = self._queues.take(destination_id, token_id, new_id(), now, now + HELD_MS)
        with contextlib.suppress(StaleWrite):
            if queue:
                self._queues.put_off(queue, now)

    def _send(self, destination: Destination, queue: Queue, until: int | None) -> Queue | int:
        """Send until there is nothing left. If a receiver failed, or there is no time left, the queue is put off: until
        when."""
        while events := self._events.after(queue.token_id, queue.sent, AT_ONCE):
            for event in events:
                if self._is_late(until):
                    return self._put_off(queue, self._time.now())
                if destination.accepts(event):
                    try:
                        destination.send(event, self._time.now())
                    except NotDelivered as reason:
                        now = self._time.now()
                        given_up = queue.attempts >= len(PAUSES_MS)
                        destination.failed(event, reason, given_up, now)
                        if not given_up:
                            pause = PAUSES_MS[queue.attempts] * (1 + JITTER * self._time.chance())
                            return self._put_off(replace(queue, attempts=queue.attempts + 1), now + round(pause))
                    else:
                        destination.mark_delivered(self._time.now())
                now = self._time.now()
                through = replace(queue, sent=event.sequence, attempts=0)
                queue = self._queues.advance(through, now, now + HELD_MS)
        return queue

    def _put_off(self, queue: Queue, until: int) -> int:
        self._queues.put_off(queue, until)
        return until
