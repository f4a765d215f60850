"""One token gets a new secret, which is put where it belongs; or everything is as before.

The order is what makes it safe: the new secret is made while the old one goes on, it replaces the old one in the
file at once, and only what fails after that is undone. Killed at any point, the file holds a secret that is good.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyturn_cli.api import AnswerLost, Api, part
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.files import read_secret, require_writable, write_secret

if TYPE_CHECKING:
    from pathlib import Path

ATTEMPTS = 3  # each one whose answer was lost leaves a secret that nobody has, until its end


@dataclass(frozen=True)
class Place:
    """Where the new secret goes: into a file, to a command, or both in this order. `held`: the secret until now."""

    file: Path | None = None
    command: str | None = None
    held: str | None = None


def rotate(api: Api, path: str, grace: str, place: Place) -> dict[str, Any]:
    """What the API says of the token, with its new secret as `token`. Raises Problem: ROLLED_BACK if everything is
    as before."""
    if place.file:
        require_writable(place.file)  # before anything is changed
    made = _rotated(api, path, grace)
    try:
        if place.file:
            write_secret(place.file, made["token"])
        if place.command:
            _run(place.command, made["token"])
    except (Problem, KeyboardInterrupt) as failure:
        reason = str(failure).rstrip(".") or "interrupted"
        if grace == "0":
            raise _nothing_before(place, made["token"], reason) from None
        _undo(api, path, made["token"], place, reason)
    return made


def token_path(user: str, token: str) -> str:
    """Where the API has a token."""
    return f"/users/{part(user)}/permanenttokens/{part(token)}"


def _rotated(api: Api, path: str, grace: str) -> dict[str, Any]:
    body = {"grace": int(grace) if grace.isdigit() else grace}
    for attempt in range(ATTEMPTS):
        try:
            made: dict[str, Any] = api.post(f"{path}/rotate", body)
        except AnswerLost:
            if attempt == ATTEMPTS - 1:
                raise
            continue
        if made.get("token"):
            return made
    raise Problem("The token was rotated, but no answer brought the new secret. The one before goes on; run it again.")


def _run(command: str, secret: str) -> None:
    """The command gets the secret as its input and in its environment, never as an argument, which others can see."""
    finished = subprocess.run(  # noqa: S602 - the operator's own command line, with pipes and all
        command,
        shell=True,
        input=secret + "\n",
        text=True,
        env={**os.environ, "KEYTURN_NEW_TOKEN": secret},
        check=False,
    )
    if finished.returncode:
        raise Problem(f"the command ended with {finished.returncode}")


def _nothing_before(place: Place, new: str, reason: str) -> Problem:
    """Without grace there is no secret to go back to."""
    kept = place.file is not None and read_secret(place.file) == new
    remedy = f"The new one is in {place.file}: see that it gets where it belongs." if kept else "Rotate it once more."
    return Problem(f"Failed: {reason}. Without grace, the secrets before have ended. {remedy}", ExitCode.LEFT_BEHIND)


def _undo(api: Api, path: str, new: str, place: Place, reason: str) -> None:
    """Raises Problem in any case."""
    if place.held is None:
        raise Problem(
            f"Failed: {reason}. The secret before is not known here, so it cannot be made the current one again. It "
            "goes on until its grace ends; rotate again before.",
            ExitCode.LEFT_BEHIND,
        )
    try:
        if place.file and read_secret(place.file) == new:
            write_secret(place.file, place.held)
        api.using(new).post(f"{path}/takeback", {"keep": place.held})
    except Problem as second:
        raise Problem(
            f"Failed: {reason}. It could not be taken back either: {second.message} The secret before goes on until "
            "its grace ends; rotate again before.",
            ExitCode.LEFT_BEHIND,
        ) from None
    raise Problem(f"Failed: {reason}. Everything is as before.", ExitCode.ROLLED_BACK)
