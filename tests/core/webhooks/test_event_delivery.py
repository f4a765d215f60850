"""Events on their way: at least once, in the order of each token, whoever fails and whenever."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.stores import Stores
from chalicelib.core.tokens.event import Event, EventKind
from chalicelib.core.webhooks.event_delivery import HELD_MS, NEW_MS, STAYS_MS, EventDelivery, Time
from chalicelib.core.webhooks.ports import NotDelivered
from chalicelib.core.webhooks.webhook import PAUSES_MS

_ids = itertools.count()


@dataclass
class Receiver:
    """A destination that fails as it is told: `plan` says for each attempt what it does."""

    plan: list[str] = field(default_factory=list)
    id: str = field(default_factory=lambda: f"receiver{next(_ids)}")
    got: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    given_up: list[int] = field(default_factory=list)
    failing: int | None = None

    def accepts(self, event: Event) -> bool:
        return event.kind is not EventKind.UPDATED

    def send(self, event: Event, now: int) -> None:
        step = self.plan.pop(0) if self.plan else "take"
        if step == "refuse":
            raise NotDelivered("it answered with 500")
        self.got[event.token_id].append(event.sequence)
        if step == "lose":  # it has it, and nobody knows
            raise NotDelivered("no answer")
        if step == "die":
            raise KeyboardInterrupt

    def mark_delivered(self, now: int) -> None:
        self.failing = None

    def failed(self, event: Event, reason: NotDelivered, given_up: bool, now: int) -> None:
        self.failing = self.failing or now
        if given_up:
            self.given_up.append(event.sequence)


class World:
    """Events, one or more receivers, and a clock."""

    def __init__(self, stores: Stores, *receivers: Receiver) -> None:
        self.receivers = {receiver.id: receiver for receiver in receivers}
        self.clock = 1_000_000
        self.events, self.queues = stores.events, stores.queues
        self.waited: list[int] = []
        self.chance = 0.0
        time = Time(lambda: self.clock, self._wait, lambda: self.chance)
        self.event_delivery = EventDelivery(self.events, self.queues, lambda: dict(self.receivers), time)

    def _wait(self, milliseconds: int) -> None:
        self.waited.append(milliseconds)
        self.clock += milliseconds

    def happen(self, token_id: str, sequence: int, kind: EventKind = EventKind.ROTATED) -> None:
        self.events.add(Event(f"{token_id}-{sequence}", kind, self.clock, token_id, sequence, "u", "u"))

    def pass_time(self, steps: int = 40) -> None:
        for _ in range(steps):
            self.clock += max(PAUSES_MS) + 1
            self.event_delivery.resend()


def one_of_each(sequence: list[int]) -> list[int]:
    """The first time that each came."""
    return list(dict.fromkeys(sequence))


@settings(max_examples=40)
@given(
    plan=st.lists(st.sampled_from(["take", "refuse", "lose", "die"]), max_size=12),
    batches=st.lists(st.integers(1, 4), min_size=1, max_size=4),
)
def test_each_event_arrives_at_least_once_and_in_order(stores: Stores, plan: list[str], batches: list[int]) -> None:
    receiver, steady = Receiver(list(plan)), Receiver()
    world, token, last = World(stores, receiver, steady), f"token{next(_ids)}", 0
    for batch in batches:
        for _ in range(batch):
            last += 1
            world.happen(token, last)
        while True:
            try:
                world.event_delivery.deliver([token])
                break
            except KeyboardInterrupt:  # the process is killed, and the stream gives the same to the next one
                world.clock += HELD_MS + 1
    for _ in range(30):
        try:
            world.pass_time(1)
        except KeyboardInterrupt:
            continue
    assert one_of_each(receiver.got[token]) == list(range(1, last + 1))
    for early, late in itertools.pairwise(receiver.got[token]):
        assert late in (early, early + 1), "only what was lost or cut off came again"
    assert steady.got[token] == list(range(1, last + 1))


def test_a_receiver_that_fails_waits_longer_each_time_and_holds_up_nobody_else(stores: Stores) -> None:
    failing, other = Receiver(["refuse"] * 4), Receiver()
    world = World(stores, failing, other)
    world.happen("waits", 1)
    world.event_delivery.deliver(["waits"])
    assert (failing.got["waits"], other.got["waits"]) == ([], [1])
    for pause in PAUSES_MS[:3]:
        world.clock += pause - 1
        world.event_delivery.resend()
        world.event_delivery.deliver(["waits"])  # a new event does not make it earlier
        left = len(failing.plan)
        world.clock += 2
        world.event_delivery.resend()
        assert len(failing.plan) == left - 1
    world.clock += PAUSES_MS[3]
    world.event_delivery.resend()
    assert failing.got["waits"] == [1]


def test_what_never_arrives_is_given_up_after_days_and_the_next_is_tried(stores: Stores) -> None:
    receiver = Receiver(["refuse"] * (len(PAUSES_MS) + 1))
    world = World(stores, receiver)
    world.happen("stuck", 1)
    world.happen("stuck", 2)
    world.event_delivery.deliver(["stuck"])
    world.pass_time(len(PAUSES_MS) + 1)
    assert (receiver.given_up, receiver.got["stuck"]) == ([1], [2])
    assert sum(PAUSES_MS) > 3 * 24 * 3_600_000


def test_what_a_receiver_does_not_want_is_passed_over(stores: Stores) -> None:
    receiver = Receiver()
    world = World(stores, receiver)
    for sequence, kind in enumerate([EventKind.CREATED, EventKind.UPDATED, EventKind.REVOKED], 1):
        world.happen("picky", sequence, kind)
    world.event_delivery.deliver(["picky"])
    assert receiver.got["picky"] == [1, 3]


def test_nothing_is_left_lying_when_all_have_arrived_or_the_receiver_is_gone(stores: Stores) -> None:
    receiver = Receiver(["refuse"])
    world = World(stores, receiver)
    world.happen("rest", 1)
    world.event_delivery.deliver(["rest"])
    assert len(world.queues.waiting(world.clock + 10**9, 10)) == 1
    del world.receivers[receiver.id]
    world.pass_time(1)
    assert world.queues.waiting(world.clock + 10**9, 10) == []


def test_two_who_hold_the_same_queue_do_not_pass_each_other(stores: Stores) -> None:
    """The first one is slow and overdue: it must not store where it is."""
    world = World(stores, Receiver())
    slow = world.queues.take("there", "token", "slow", world.clock, world.clock + HELD_MS)
    assert slow
    assert world.queues.take("there", "token", "other", world.clock, world.clock + HELD_MS) is None
    late = world.clock + HELD_MS
    other = world.queues.take("there", "token", "other", late, late + HELD_MS)
    assert other
    for step in (
        lambda: world.queues.advance(replace(slow, sent=9), late, late),
        lambda: world.queues.put_off(slow, late),
        lambda: world.queues.release(slow),
    ):
        with pytest.raises(StaleWrite):
            step()
    assert world.queues.release(other)


def test_many_at_once_lose_nothing_and_keep_the_order(stores: Stores) -> None:
    receiver, token = Receiver(), "busy"
    world = World(stores, receiver)

    def deliver(first: int) -> None:
        for sequence in range(first, 41, 4):
            world.happen(token, sequence)
            world.event_delivery.deliver([token])

    # Sequences come from conditional writes, so that one is never there before those that it follows.
    for sequence in range(1, 41):
        world.happen(token, sequence)
    threads = [threading.Thread(target=deliver, args=(first,)) for first in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    world.pass_time(2)
    assert receiver.got[token] == list(range(1, 41))


SOON = PAUSES_MS[0]


def tried(world: World, receiver: Receiver) -> list[int]:
    """When the receiver was tried, from now on: the list grows."""
    moments: list[int] = []
    send = receiver.send

    def watched(event: Event, now: int) -> None:
        moments.append(now)
        send(event, now)

    receiver.send = watched  # type: ignore[method-assign]
    return moments


class TestTheFirstTryAgain:
    """Five seconds later, and not with the schedule's next minute."""

    def test_is_waited_for_by_whoever_told_it(self, stores: Stores) -> None:
        receiver = Receiver(["refuse"])
        world = World(stores, receiver)
        moments, began = tried(world, receiver), world.clock
        world.happen("soon", 1)
        world.event_delivery.deliver(["soon"], until=began + 45_000)
        assert moments == [began, began + SOON]
        assert receiver.got["soon"] == [1]
        assert world.queues.backlog(receiver.id, 1_000) == []

    def test_is_by_chance_a_little_later_so_that_not_all_come_at_once(self, stores: Stores) -> None:
        receiver = Receiver(["refuse"])
        world = World(stores, receiver)
        moments, began = tried(world, receiver), world.clock
        world.chance = 1.0
        world.happen("later", 1)
        world.event_delivery.deliver(["later"], until=began + 45_000)
        assert moments == [began, began + 5_500]

    def test_comes_once_the_second_has_its_own_pause(self, stores: Stores) -> None:
        receiver = Receiver(["refuse", "refuse"])
        world = World(stores, receiver)
        began = world.clock
        world.happen("twice", 1)
        world.event_delivery.deliver(["twice"], until=began + 45_000)
        (waiting,) = world.queues.backlog(receiver.id, 1_000)
        assert (waiting.attempts, waiting.due) == (2, began + SOON + PAUSES_MS[1])

    def test_holds_up_no_others_for_what_has_failed_for_longer(self, stores: Stores) -> None:
        receiver = Receiver(["refuse"])
        world = World(stores, receiver)
        receiver.failing = world.clock - NEW_MS
        world.happen("known", 1)
        world.event_delivery.deliver(["known"], until=world.clock + 45_000)
        assert world.waited == []
        began = world.clock
        assert world.event_delivery.resend(until=began + 58_000) == 1  # the schedule stays, and has it
        assert receiver.got["known"] == [1]
        assert SOON <= world.clock - began <= SOON + 1_000

    def test_is_not_begun_where_no_time_is_left(self, stores: Stores) -> None:
        receiver = Receiver(["refuse"])
        world = World(stores, receiver)
        world.happen("short", 1)
        world.event_delivery.deliver(["short"], until=world.clock + SOON)
        assert (world.waited, receiver.got["short"]) == ([], [])


class TestTheSchedulesRun:
    def test_stays_while_something_fails_and_tells_what_fails_meanwhile(self, stores: Stores) -> None:
        receiver, other = Receiver(), Receiver()
        world = World(stores, receiver, other)
        receiver.failing = world.clock - NEW_MS  # since a while, by another token's event
        receiver.plan = ["refuse"]
        moments, happened = tried(world, receiver), world.clock + 10_000
        wait = world._wait

        def meanwhile(milliseconds: int) -> None:
            wait(milliseconds)
            if world.clock == happened:
                world.happen("new", 1)
                world.event_delivery.deliver(["new"], until=world.clock + 45_000)

        world.event_delivery = EventDelivery(
            world.events, world.queues, lambda: dict(world.receivers), Time(lambda: world.clock, meanwhile, lambda: 0)
        )
        world.event_delivery.resend(until=world.clock + 58_000)
        assert moments == [happened, happened + SOON]

    def test_goes_when_nothing_fails(self, stores: Stores) -> None:
        world = World(stores, Receiver())
        world.event_delivery.resend(until=world.clock + 58_000)
        assert world.waited == []

    def test_stays_for_no_longer_than_it_may_and_not_for_what_fails_for_hours(self, stores: Stores) -> None:
        receiver = Receiver()
        world = World(stores, receiver)
        receiver.failing = began = world.clock
        world.event_delivery.resend(until=began + 58_000)
        assert 56_000 <= sum(world.waited) < 58_000
        world.waited.clear()
        receiver.failing = world.clock - STAYS_MS
        world.event_delivery.resend(until=world.clock + 58_000)
        assert world.waited == []


def test_a_slow_receiver_holds_up_no_other_and_what_there_is_no_time_for_is_left_to_the_schedule(
    stores: Stores,
) -> None:
    slow, quick = Receiver(), Receiver()
    world = World(stores, slow, quick)
    arrived, tokens = threading.Event(), [f"many{number}" for number in range(4)]
    send = slow.send

    def waits_for_the_other(event: Event, now: int) -> None:
        assert arrived.wait(20)  # would never come if they were served one after the other
        world.clock += 20_000
        send(event, now)

    def arrive(event: Event, now: int, send: object = quick.send) -> None:
        send(event, now)  # type: ignore[operator]
        if len(quick.got) == len(tokens):
            arrived.set()

    slow.send, quick.send = waits_for_the_other, arrive  # type: ignore[method-assign]
    for token in tokens:
        world.happen(token, 1)
    world.event_delivery.deliver(tokens, until=world.clock + 30_000)
    assert list(quick.got) == tokens
    assert list(slow.got) == tokens[:2]
    assert [each.token_id for each in world.queues.backlog(slow.id, 1_000)] == tokens[2:]
    slow.send = send  # type: ignore[method-assign]
    world.clock += 1
    assert world.event_delivery.resend() == 2
    assert list(slow.got) == tokens
