"""Something is made whose secret the client has made before: a lost answer costs nothing, nor does being killed.

The secret waits on the disk before the server hears of it. The request carries a key that is made of the secret, so
the same one again makes nothing more (ADR 8). When the server has forgotten the key, or was asked for something that
differs, what there is under the name is compared with the secret that waits.
"""

from __future__ import annotations

import contextlib
import hashlib
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyturn_cli.api import Api, collection, has_id, is_comparison, part
from keyturn_cli.errors import AnswerLost, ExitCode, Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyturn_cli.place import Place

TAKEN = {409, 422}  # a name, or a key
NOT_THERE = 404
ENDED = 409


def normal(name: str) -> str:
    """As the server keeps it."""
    return unicodedata.normalize("NFC", name).strip()


def folded(name: str) -> str:
    """As the server compares it where case does not matter."""
    return normal(name).casefold()


@dataclass(frozen=True)
class Kind:
    """What is made below `path`. `brought` makes what the server is given, `is_brought` says whether it is such a
    thing, `whole` puts the secret together from it and what the server says; `comparison` is where, below the thing,
    the server compares. `fields` of it are read to tell by `differing` which options differ, between what is asked for
    and what there is. Names that have one `unique` form are one name."""

    path: str
    brought: Callable[[], str]
    is_brought: Callable[[str], bool]
    whole: Callable[[str, dict[str, Any]], str]
    comparison: str
    differing: Callable[[dict[str, Any], dict[str, Any]], list[str]]
    fields: str | None = None
    unique: Callable[[str], str] = normal


class _Gone(Exception):
    """What was made with the secret that waits was deleted, or has ended, or never was."""


class _Renewed(Exception):
    """What there is has another secret than the one that waits."""

    def __init__(self, made: dict[str, Any]) -> None:
        super().__init__()
        self.made = made


def create(api: Api, kind: Kind, body: dict[str, Any], place: Place) -> tuple[dict[str, Any], str]:
    """What was made, and its secret, which waits still: it is handed over next. Raises Problem."""
    secret = place.begun()
    resumed = secret is not None
    if secret is None:
        secret = kind.brought()
        place.keep(secret)
    elif not kind.is_brought(secret):
        raise Problem(
            f"{place.named()} holds the secret of something that was begun and not finished, such as a rotation. "
            "Finish that, or remove it."
        )
    try:
        made = _made(api, kind, body, secret, place, resumed)
    except AnswerLost as lost:
        if lost.nothing_done and not resumed:
            place.forget()
            raise
        raise _unknown(lost, place) from None
    except Refused as refusal:
        if refusal.doubtful:
            raise _unknown(refusal, place) from None
        if not resumed:
            place.forget()
        raise
    except _Gone:
        place.forget()
        return create(api, kind, body, place)
    except _Renewed as renewed:
        place.forget()
        raise _no_longer(renewed.made) from None
    return made, kind.whole(secret, made)


def _made(api: Api, kind: Kind, body: dict[str, Any], secret: str, place: Place, resumed: bool) -> dict[str, Any]:
    """What was made now, or by an earlier command. Raises Problem; _Gone and _Renewed, only if `resumed`."""
    key = hashlib.sha256(f"keyturn {kind.path} {body['name']} {secret}".encode()).hexdigest()

    def is_it(answer: dict[str, Any]) -> bool:
        """What was made by an earlier command may have another name by now."""
        return _can_be_whole(kind, secret, answer) and (resumed or answer.get("name") == normal(body["name"]))

    try:
        made: dict[str, Any] = api.post(kind.path, {**body, "secret": secret}, key, is_it)
    except Refused as refusal:
        if resumed and refusal.status == NOT_THERE:
            raise _Gone from None
        if refusal.status not in TAKEN:
            raise
        there = _named(api, kind, body["name"], secret)
        if found := next((each for each, is_current in there if is_current), None):
            if others := kind.differing(body, found):  # of a repetition the server sees it
                raise _another(found, others, place) from None
            return found
        if not resumed:
            refusal.doubtful = refusal.doubtful and not there  # what is there is somebody else's
            raise
        raise (_Renewed(there[0][0]) if there else _Gone()) from None
    if resumed and not _is_current(api, kind, made["id"], secret):
        raise _Renewed(made)
    return made


def _named(api: Api, kind: Kind, name: str, secret: str) -> list[tuple[dict[str, Any], bool]]:
    """What has this name, and whether it has this secret."""
    found = []
    for each in collection(api, kind.path, kind.fields):
        if kind.unique(str(each.get("name"))) == kind.unique(name) and has_id(each):
            with contextlib.suppress(_Gone):
                found.append((each, _is_current(api, kind, each["id"], secret)))
    return found


def _is_current(api: Api, kind: Kind, id: str, secret: str) -> bool:
    """Raises _Gone: it was deleted, or has ended."""
    path = f"{kind.path}/{part(id)}{kind.comparison}"
    try:
        told: dict[str, Any] = api.post(path, {"secret": secret}, expected=is_comparison)
    except Refused as refusal:
        if refusal.status in (NOT_THERE, ENDED):
            raise _Gone from None
        raise
    return bool(told["current"])


def _can_be_whole(kind: Kind, secret: str, made: dict[str, Any]) -> bool:
    try:
        return has_id(made) and bool(kind.whole(secret, made))
    except (KeyError, TypeError):
        return False


def _unknown(lost: AnswerLost | Refused, place: Place) -> Problem:
    return Problem(
        f"{lost.message} It is not known whether it was made. Its secret waits in {place.named()}. Run the same "
        "command again: it finds out, and goes on from there.",
        ExitCode.UNREACHABLE,
    )


def _another(made: dict[str, Any], options: list[str], place: Place) -> Problem:
    return Problem(
        f"{made.get('name')} ({made.get('id')}) was made by an earlier command, with another {', '.join(options)}. Its "
        f"secret waits in {place.named()}. Run that command again to have it; or delete what was made, remove that "
        "file, and run this one.",
        ExitCode.LEFT_BEHIND,
    )


def _no_longer(made: dict[str, Any]) -> Problem:
    return Problem(
        f"There is {made.get('name')} ({made.get('id')}), but its secret is not the one that waited here: it was "
        "renewed since, or somebody else has made it. What waited is of no use, and was removed. Renew its secret to "
        "have one, or choose another name.",
        ExitCode.LEFT_BEHIND,
    )
