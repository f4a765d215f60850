"""The checker accepts what is possible, and notices what is not."""

import math

from tests.linearizability import Event, explains


def write(value: int, called: float, returned: float = math.inf) -> Event[int]:
    return Event(called, returned, lambda state: value)


def read(value: int, called: float, returned: float) -> Event[int]:
    return Event(called, returned, lambda state: state if state == value else None)


def test_one_after_the_other() -> None:
    assert explains([write(1, 0, 1), read(1, 2, 3)], 0)
    assert not explains([write(1, 0, 1), read(0, 2, 3)], 0)


def test_side_by_side_both_orders_are_possible() -> None:
    assert explains([write(1, 0, 10), read(0, 2, 3)], 0)
    assert explains([write(1, 0, 10), read(1, 2, 3)], 0)


def test_what_was_seen_stays() -> None:
    assert not explains([write(1, 0, 10), read(1, 2, 3), read(0, 4, 5)], 0)


def test_what_was_never_answered_may_have_happened_or_not_or_late() -> None:
    assert explains([write(1, 0), read(0, 2, 3)], 0)
    assert explains([write(1, 0), read(1, 2, 3)], 0)
    assert explains([write(1, 0), read(0, 2, 3), read(1, 4, 5)], 0)
    assert not explains([write(1, 0), read(1, 2, 3), read(0, 4, 5)], 0)


def test_what_nobody_wrote_is_noticed() -> None:
    assert not explains([write(1, 0, 1), read(2, 2, 3)], 0)
