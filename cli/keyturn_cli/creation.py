"""Something is made whose secret the client has made before: a lost answer costs nothing, nor does being killed.

The secret waits on the disk before the server hears of it. The request carries a key that is made of the secret, so
the same one again makes nothing more (ADR 8). When the server has forgotten the key, or was asked for something that
differs, what there is under the name is compared with the secret that waits.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from keyturn_cli.api import Api, collection, part
from keyturn_cli.errors import AnswerLost, ExitCode, Problem, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyturn_cli.place import Place

TAKEN = {409, 422}  # a name, or a key


@dataclass(frozen=True)
class Kind:
    """What is made below `path`. `brought` makes what the server is given, `is_brought` says whether it is such a
    thing, `whole` puts the secret together from it and what the server says; `comparison` is where, below the thing,
    the server compares. `fields` of it are read to tell by `differing` which options differ, between what is asked for
    and what there is."""

    path: str
    brought: Callable[[], str]
    is_brought: Callable[[str], bool]
    whole: Callable[[str, dict[str, Any]], str]
    comparison: str
    differing: Callable[[dict[str, Any], dict[str, Any]], list[str]]
    fields: str | None = None


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
    key = hashlib.sha256(f"keyturn {kind.path} {body['name']} {secret}".encode()).hexdigest()
    try:
        made: dict[str, Any] = api.post(kind.path, {**body, "secret": secret}, key)
    except AnswerLost as lost:
        if lost.nothing_done and not resumed:
            place.forget()
            raise
        raise _unknown(lost, place) from None
    except Refused as refusal:
        try:
            found = _found(api, kind, body["name"], secret) if refusal.status in TAKEN else None
        except AnswerLost as lost:
            raise _unknown(lost, place) from None
        if found is None:
            if not resumed:
                place.forget()
            raise
        made = found
        if others := kind.differing(body, made):
            raise _another(made, others, place) from None
    return made, kind.whole(secret, made)


def _found(api: Api, kind: Kind, name: str, secret: str) -> dict[str, Any] | None:
    """What has this name, if it was made with this secret."""
    for each in collection(api, kind.path, kind.fields):
        if each.get("name") == name:
            compared = api.post(f"{kind.path}/{part(each['id'])}{kind.comparison}", {"secret": secret})
            if compared.get("current"):
                return each
    return None


def _unknown(lost: AnswerLost, place: Place) -> Problem:
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
