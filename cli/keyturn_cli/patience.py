"""How long a command may take in all, and what it says while somebody waits for it."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_SECONDS = 60
QUIET_SECONDS = 3.0  # of waiting, before anything is said
T = TypeVar("T")


class NoTimeLeft(Exception):
    """It was not done by then. `begun`: it may have been, or may still be."""

    def __init__(self, begun: bool) -> None:
        super().__init__()
        self.begun = begun


@dataclass
class Patience:
    """A bound for everything together. `each`: for each request by itself, where there are many. `told` hears for what
    it waits, and until when."""

    seconds: float = DEFAULT_SECONDS
    told: Callable[[str], Any] = field(default=lambda message: None)
    pause: Callable[[float], Any] = time.sleep
    each: bool = False

    def __post_init__(self) -> None:
        self._ends = time.monotonic() + self.seconds

    def begin(self) -> None:
        """A request begins."""
        if self.each:
            self._ends = time.monotonic() + self.seconds

    def left(self) -> float:
        """Seconds."""
        return max(0.0, self._ends - time.monotonic())

    def with_at_least(self, seconds: float) -> Patience:
        """For what has to be tried although the time is over, such as taking something back."""
        return Patience(max(seconds, self.left()), self.told, self.pause)

    def again(self) -> Patience:
        """The same, from now on."""
        return Patience(self.seconds, self.told, self.pause, self.each)

    def until(self) -> str:
        """The end, by the clock on the wall."""
        return (datetime.now().astimezone() + timedelta(seconds=self.left())).strftime("%H:%M:%S")

    def wait(self, seconds: float, reason: str) -> None:
        """Before something is tried again."""
        self.told(f"{reason} Trying again until {self.until()}.")
        self.pause(min(seconds, self.left()))

    def within(self, what: str, act: Callable[[], T]) -> T:
        """What `act` gives or raises, if it does so in time; it may go on by itself, and nobody hears of it. Raises
        NoTimeLeft. A thread is the only thing that ends also where a name is looked up, or an answer drips."""
        outcome: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        def work() -> None:
            try:
                outcome.put((True, act()))
            except BaseException as error:
                outcome.put((False, error))

        left = self.left()
        if left <= 0:
            raise NoTimeLeft(False)
        threading.Thread(target=work, daemon=True).start()
        try:
            done, value = self._awaited(outcome, left, what)
        except queue.Empty:
            raise NoTimeLeft(True) from None
        if not done:
            raise value
        result: T = value
        return result

    def _awaited(self, outcome: queue.SimpleQueue[tuple[bool, Any]], left: float, what: str) -> tuple[bool, Any]:
        if left <= QUIET_SECONDS:
            return outcome.get(timeout=left)
        try:
            return outcome.get(timeout=QUIET_SECONDS)
        except queue.Empty:
            self.told(f"Waiting for {what}, until {self.until()}.")
            return outcome.get(timeout=max(0.001, self.left()))
