"""When another worker takes the place of one that has ended, and when there is no hope for any."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from server import supervisor
from server.options import Options
from server.supervisor import HEALTHY_SECONDS, MOST_FAILURES, UNUSABLE, Supervisor


class Ended:
    """A worker that ends by itself, with this exit code."""

    def __init__(self, returncode: int | None) -> None:
        self.returncode = returncode

    def poll(self) -> int | None:
        return self.returncode


Watched = Callable[..., tuple[Supervisor, list[int]]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def watched(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    """A supervisor whose places get workers with these exit codes, one after the other; None: goes on. With it, the
    places of all workers that were started."""
    sockets: list[socket.socket] = []

    def make(*codes: list[int | None]) -> tuple[Supervisor, list[int]]:
        sockets.extend(socket.socket() for _ in codes)
        left = {each.fileno(): iter(of_place) for each, of_place in zip(sockets, codes, strict=True)}
        numbers = {each.fileno(): number for number, each in enumerate(sockets)}
        started: list[int] = []

        def start(self: Supervisor, number: int) -> Any:
            started.append(numbers[number])
            return Ended(next(left[number]))

        monkeypatch.setattr(Supervisor, "_start", start)
        return Supervisor(Options(workers=len(codes)), [], sockets), started

    yield make
    for each in sockets:
        each.close()


def looked(supervisor: Supervisor, clock: list[float], times: int) -> int | None:
    """What the supervisor comes to within so many looks, a second apart."""
    for _ in range(times):
        code = supervisor._look()
        if code is not None:
            return code
        clock[0] += 1
    return None


def test_one_bad_moment_of_all_ends_nothing(watched: Watched, clock: list[float]) -> None:
    places: list[list[int | None]] = [[1, None] for _ in range(2 * MOST_FAILURES)]
    of, started = watched(*places)
    assert looked(of, clock, 20) is None
    assert sorted(started) == sorted([*range(len(places)), *range(len(places))])


def test_where_no_worker_ever_works_it_ends(watched: Watched, clock: list[float]) -> None:
    of, started = watched([1] * 9, [1] * 9)
    assert looked(of, clock, 60) == 1
    assert started.count(0) == MOST_FAILURES


def test_settings_that_cannot_be_used_end_it_at_once(watched: Watched, clock: list[float]) -> None:
    of, _ = watched([UNUSABLE], [None])
    assert looked(of, clock, 3) == UNUSABLE


@pytest.mark.parametrize("code", [1, UNUSABLE, -9])
def test_one_place_that_fails_for_ever_ends_no_other(watched: Watched, clock: list[float], code: int) -> None:
    of, started = watched([None], [None, *[code] * 50])
    assert looked(of, clock, round(HEALTHY_SECONDS) + 2) is None
    of._places[1].process = None  # it has worked, and is gone
    assert looked(of, clock, 60) is None
    assert started.count(0) == 1
    assert 10 <= started.count(1) <= 30  # with pauses
