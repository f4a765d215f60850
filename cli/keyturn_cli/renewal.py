"""A secret is renewed: made here, stored, then taken by the server, then put where it belongs.

The order is what makes it safe. The new secret waits on the disk before the server hears of it, so an answer that is
lost costs nothing: the request is repeated until there is one, and bringing the current secret changes nothing (ADR
20). Killed at any point, the file holds a good secret or a good one waits beside it, and the next command goes on from
there.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from keyturn_cli import running
from keyturn_cli.api import Asking
from keyturn_cli.checks import said
from keyturn_cli.errors import AnswerLost, ExitCode, Problem, Refused, UsedUp, interrupted
from keyturn_cli.files import read_secret
from keyturn_cli.output import moment

if TYPE_CHECKING:
    from keyturn_cli.patience import Patience
    from keyturn_cli.place import Place

BACK_SECONDS = 20  # for taking back, also when all other time is over
MOST_NEW = 3  # secrets that are tried, where others have been used up before


class Kept(Protocol):
    """What the server keeps a secret of: a token, a service, a webhook."""

    @property
    def named(self) -> str:
        """For people."""

    @property
    def identity(self) -> str:
        """What tells it from everything else of its installation, whoever renews it."""

    def new_secret(self) -> str:
        """The whole of a new one."""

    def owns(self, secret: str) -> bool:
        """Whether it has the form of one of its secrets."""

    def held(self, secret: str) -> Kept:
        """The same, where this is the secret until now."""

    def take(self, new: str, grace: int, doubtful: bool, patience: Patience) -> dict[str, Any]:
        """The server takes the new secret. `doubtful`: it may have done so already. Once for each call; raises
        AnswerLost, UsedUp or Problem."""

    def roll_back(self, new: str, held: str, doubtful: bool, patience: Patience) -> None:
        """The secret `held` is the current one again, and the new one has ended. Raises AnswerLost or Problem."""

    def can_take_back(self) -> bool:
        """Whether the secret that is held was the current one, as far as was seen."""


@dataclass(frozen=True)
class Renewed:
    """What the server says, and the secret that it has taken."""

    told: dict[str, Any]
    secret: str
    grace: int  # seconds

    @property
    def ends(self) -> str:
        """Until when the secret before is good, in words."""
        if "secrets" not in self.told:
            return f"is good for {said(self.grace)} more" if self.grace else "has ended"
        earlier = self.told["secrets"][:-1]  # the current one is the last
        ends = earlier[-1].get("endsOn") if earlier else None
        # A command that goes on from one that was cut may come after the end.
        return f"is good until {moment(ends)}" if ends and ends > time.time() * 1000 else "has ended"


def renew(kept: Kept, grace: int, place: Place, patience: Patience, to_errors: bool = False) -> Renewed:
    """The new secret, where it belongs: `grace`, in seconds, is how long the one before goes on. Where it is only to be
    printed it still waits: `place.forget()` once it is out. `to_errors`: there goes what the command prints.

    Raises Problem: TAKEN_BACK if the secret before is the current one again; UNREACHABLE if it is not known what the
    server has done, and the same command finds out.
    """
    with place.alone(patience):
        place, kept = _as_it_is_now(place, kept)
        renewed = _taken(kept, grace, place, patience)
        try:
            place.settle()
        except Problem as failure:
            raise _left(f"{failure.message} {_found(place, renewed)}") from None
        if place.command:
            try:
                running.run(place.command, renewed.secret, patience, to_errors)
            except (Problem, KeyboardInterrupt, OSError) as failure:
                _failed(kept, renewed, place, patience, _reason(failure))
            if not place.file:
                _forget(place, f"The command has the new secret. The one before {renewed.ends}.")
    return renewed


def _as_it_is_now(place: Place, kept: Kept) -> tuple[Place, Kept]:
    """Another command may have renewed it while this one waited."""
    found = read_secret(place.file) if place.file else None
    if found is None or found == place.held or not kept.owns(found):
        return place, kept
    return replace(place, held=found), kept.held(found)


def _taken(kept: Kept, grace: int, place: Place, patience: Patience) -> Renewed:
    new, doubtful = place.begun(), True
    if new is not None and new == place.held:  # somebody has put it where it belongs
        place.forget()
        new = None
    if new is not None and not kept.owns(new):
        raise Problem(
            f"{place.named()} holds something else than a new secret of {kept.named}. If nobody needs it, remove it."
        )
    for _ in range(MOST_NEW):
        if new is None:
            new, doubtful = kept.new_secret(), False
            place.keep(new)
        try:
            return Renewed(_asked(kept, new, grace, doubtful, place, patience), new, grace)
        except UsedUp as used:
            if used.good:
                place.settle()
                kept = kept.held(new)
            else:
                place.forget()
            new = None
    raise Problem(f"The server takes no new secret for {kept.named}: it knows each one already.", ExitCode.LEFT_BEHIND)


def _asked(kept: Kept, new: str, grace: int, doubtful: bool, place: Place, patience: Patience) -> dict[str, Any]:
    asking = Asking(doubtful)
    try:
        return asking.until_answered(lambda doubtful: kept.take(new, grace, doubtful, patience), patience)
    except AnswerLost as lost:
        raise _unknown(lost, grace, place) from None
    except Refused:
        if not asking.doubtful:
            _drop(place)
        raise
    except KeyboardInterrupt as interruption:
        raise Problem(f"Interrupted. {_either(grace, place)}", interrupted(interruption)) from None


def _drop(place: Place) -> None:
    """Nobody needs what waits; should it stay, the next command finds out and removes it."""
    with contextlib.suppress(Problem):
        place.forget()


def _unknown(lost: AnswerLost, grace: int, place: Place) -> Problem:
    if lost.nothing_done:
        _drop(place)
        where = f"{place.file} is" if place.file else "The secret is"
        return Problem(f"{lost.message} Nothing was changed: {where} as before.", ExitCode.UNREACHABLE)
    return Problem(f"{lost.message} {_either(grace, place)}", ExitCode.UNREACHABLE)


def _either(grace: int, place: Place) -> str:
    """Which secret is where, while nobody knows what the server has done."""
    there = place.file is not None and place.file.exists()
    before = f"The secret before is still in {place.file}, and" if there else "The secret before"
    ends = f"is good for {said(grace)} at least" if grace else "may have ended"
    waits = f"The new one waits in {place.named()}. " if place.waiting else ""
    return (
        f"It is not known whether it has taken the new secret. {before} {ends}. {waits}Run the same command "
        "again: it finds out, and goes on from there."
    )


def _failed(kept: Kept, renewed: Renewed, place: Place, patience: Patience, reason: str) -> NoReturn:
    """The command has failed, and perhaps after it brought the secret to some places. Raises Problem in any case."""
    where, held = str(place.file) if place.file else place.named(), place.held
    stays = f"The new secret stays the current one, and is in {where}. The one before {renewed.ends}. "
    if not renewed.grace or held is None or not kept.can_take_back():
        why = "" if renewed.grace else "Without a grace nothing can be taken back. "
        raise _left(f"Failed: {reason}. {why}{stays}Bring it where it belongs.")
    try:
        place.unsettle(renewed.secret)
    except Problem as second:
        raise _left(f"Failed: {reason}. It is not taken back: {second.message} {_found(place, renewed)}") from None
    bounded = patience.with_at_least(BACK_SECONDS)
    try:
        Asking().until_answered(lambda doubtful: kept.roll_back(renewed.secret, held, doubtful, bounded), bounded)
    except (AnswerLost, KeyboardInterrupt) as lost:
        cut = lost.message if isinstance(lost, AnswerLost) else "Interrupted."
        raise _left(
            f"Failed: {reason}. {cut} It is not known whether the rotation was taken back. The new secret "
            f"waits in {place.named()}; the one before {renewed.ends} at least. Run the same command again: it finds "
            "out."
        ) from None
    except Problem as refusal:
        try:
            place.settle()
        except Problem as second:
            stays = f"{second.message} {_found(place, renewed)}"
        raise _left(f"Failed: {reason}. It could not be taken back: {refusal.message} {stays}") from None
    file = f"{place.file} holds it. " if place.file else ""
    back = (
        f"Failed: {reason}. The rotation was taken back: the secret before is the current one again, and does not end "
        f"by it. {file}The new secret is refused from now on, wherever the command has brought it: bring the one "
        "before there, or run the same command again."
    )
    _forget(place, back)
    raise Problem(back, ExitCode.TAKEN_BACK)


def _reason(failure: BaseException) -> str:
    """Why the command has failed."""
    if isinstance(failure, Problem):
        return failure.message
    if isinstance(failure, OSError):
        return f"the command could not be run ({(failure.strerror or type(failure).__name__).lower()})"
    return "the command was interrupted"


def _forget(place: Place, done: str) -> None:
    """Nothing waits any more, after what is `done`. Raises Problem, which says that too."""
    try:
        place.forget()
    except Problem as failure:
        raise _left(f"{done} {failure.message} Remove it: it is of no use any more.") from None


def _found(place: Place, renewed: Renewed) -> str:
    """Where the new secret is, after something in the file system has failed."""
    held = None
    with contextlib.suppress(Problem):
        held = read_secret(place.file) if place.file else None
    if held == renewed.secret:
        _drop(place)
        return f"The new secret stays the current one, and is in {place.file}. The one before {renewed.ends}."
    return (
        f"The new secret waits in {place.named()}, and is the current one. The one before {renewed.ends}. Run the same "
        "command again."
    )


def _left(message: str) -> Problem:
    return Problem(message, ExitCode.LEFT_BEHIND)
