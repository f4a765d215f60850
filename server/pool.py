"""Threads that views run in, and a bound for what waits for one."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Job = tuple[asyncio.Future[Any], Callable[[], Any]]


class Full(Exception):
    """Enough is waiting already."""


class Pool:
    """Belongs to the loop that runs when it is made. Its threads end with the process, whatever they are at."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._most, self._threads, self._waiting = threads, 0, waiting
        self._begun = 0  # given to a thread, or waiting for one

    async def run(self, work: Callable[[], Any], seconds: float) -> Any:
        """What the work returns. Raises Full; or TimeoutError, after which work that has begun goes on, and work that
        has not is left."""
        if self._begun >= self._most + self._waiting:
            raise Full
        self._begun += 1
        if self._begun > self._threads and self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._work, name=f"view-{self._threads}", daemon=True).start()
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((future, work))
        timer = self._loop.call_later(seconds, _give_up, future)
        try:
            return await future
        finally:
            timer.cancel()

    def _work(self) -> None:
        while True:
            future, work = self._jobs.get()
            result, error = None, None
            if not future.done():
                try:
                    result = work()
                except BaseException as raised:  # the loop hands it on
                    error = raised
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                self._loop.call_soon_threadsafe(self._done, future, result, error)

    def _done(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._begun -= 1
        if future.done():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _give_up(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
