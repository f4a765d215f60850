"""Whether what clients saw of one thing could have happened one by one: each operation at some moment between its call
and its answer.

Source: Wing and Gong, "Testing and Verifying Concurrent Objects" (1993), with the memory of states that Lowe added. It
knows nothing of Keyturn: the caller says what an operation does to a state.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True)
class Event(Generic[S]):
    """One operation. `step` gives the state that follows, or None if its answer cannot come from that state.

    Without an answer, `returned` is infinite: it may have happened at any time since, or not at all.
    """

    called: float
    returned: float
    step: Callable[[S], S | None]
    name: str = ""

    @property
    def answered(self) -> bool:
        return self.returned != math.inf


def explains(events: Sequence[Event[S]], start: S) -> bool:
    """Whether there is an order of these operations that gives every answer that was given."""
    order = sorted(events, key=lambda each: each.called)
    answered = sum(1 << number for number, each in enumerate(order) if each.answered)
    seen: set[tuple[int, S]] = set()
    open_ends = [(0, start)]
    while open_ends:
        done, state = open_ends.pop()
        if done & answered == answered:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        waiting = [number for number in range(len(order)) if not done >> number & 1]
        first_answer = min(order[number].returned for number in waiting)
        for number in waiting:
            if order[number].called > first_answer:
                break  # whatever was called later comes after an answer that is yet to be explained
            following = order[number].step(state)
            if following is not None:
                open_ends.append((done | 1 << number, following))
    return False
