"""What can go wrong, and with which exit code the program says so."""

from __future__ import annotations

from enum import IntEnum

import click


class ExitCode(IntEnum):
    """1 and 2 mean what they mean everywhere; 2 is click's own, for a command that was written wrong."""

    REFUSED = 1
    NOT_LOGGED_IN = 3
    UNREACHABLE = 4
    ROLLED_BACK = 5  # something failed, and everything is as before
    LEFT_BEHIND = 6  # something failed, and somebody has to look


class Problem(click.ClickException):
    """Why a command could not be done, in words for whoever typed it."""

    def __init__(self, message: str, exit_code: ExitCode = ExitCode.REFUSED) -> None:
        super().__init__(message)
        self.exit_code = int(exit_code)  # type: ignore[misc]
