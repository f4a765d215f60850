"""What can go wrong, and with which exit code the program says so."""

from __future__ import annotations

from enum import IntEnum

import click


class ExitCode(IntEnum):
    """1 and 2 mean what they mean everywhere; 2 is click's own, for a command that was written wrong."""

    REFUSED = 1
    USAGE = 2
    NOT_LOGGED_IN = 3
    UNREACHABLE = 4
    TAKEN_BACK = 5  # something failed, and the secret before is the current one again
    LEFT_BEHIND = 6  # something failed, and somebody has to look
    INTERRUPTED = 130  # 128 and the signal's number, as shells have it
    TERMINATED = 143

    @property
    def word(self) -> str:
        """For programs: `code` of an error in JSON."""
        return self.name.lower()


class Problem(click.ClickException):
    """Why a command could not be done, in words for whoever typed it."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(message)
        self.exit_code = int(exit_code)  # type: ignore[misc]


class Refused(Problem):
    """The server's refusal: nothing was done. `reason` and `field` as it says them. `doubtful`: an attempt before this
    one was lost, so that it may have been done all the same."""

    def __init__(
        self, message: str, exit_code: ExitCode, status: int, reason: str | None = None, field: str | None = None
    ) -> None:
        super().__init__(message, exit_code)
        self.status = status
        self.reason = reason
        self.field = field
        self.doubtful = False


class AnswerLost(Problem):
    """Nobody knows whether the request was carried out; or `nothing_done`: it never left, or the server
    says that it was too busy. `wait`: how many seconds the
    server would have us wait."""

    def __init__(self, message: str, nothing_done: bool = False, wait: float | None = None) -> None:
        super().__init__(message, ExitCode.UNREACHABLE)
        self.nothing_done = nothing_done
        self.wait = wait


class UsedUp(Exception):
    """The server knows this secret as one of those before, and does not take it again. `good`: it goes on until its
    end, and is later than the one in the file."""

    def __init__(self, good: bool) -> None:
        super().__init__()
        self.good = good


class Terminated(KeyboardInterrupt):
    """Somebody ended the program (SIGTERM)."""


def interrupted(interruption: BaseException | None) -> ExitCode:
    """How a program ends that somebody has ended."""
    return ExitCode.TERMINATED if isinstance(interruption, Terminated) else ExitCode.INTERRUPTED
