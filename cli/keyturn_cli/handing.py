"""A secret that the server has taken gets to whoever asked for it: in a file, to a command, or printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.files import write_secret

if TYPE_CHECKING:
    from keyturn_cli.output import Output
    from keyturn_cli.place import Place
    from keyturn_cli.renewal import Renewed

SECRETS = ("token", "secret", "notice")  # fields of answers, that are not for a file's reader


def hand_over_made(output: Output, made: dict[str, Any], secret: str, place: Place, field: str) -> None:
    """Of what was made. `field`: what its secret is called in JSON. Raises Problem."""
    told = _without_secrets(made)
    named = f"Made {made.get('name')} ({made.get('id')})."
    if place.file:
        try:
            write_secret(place.file, secret)  # what waits may be a part of it, so it goes after that
            place.forget()
        except Problem as failure:
            again = f"Its secret waits in {place.named()}: run the same command again."
            raise Problem(f"{named} {failure.message} {again}", ExitCode.LEFT_BEHIND) from None
        output.say(f"{named} Its secret is in {place.file}.")
        if output.as_json:
            output.show(told, [])
        return
    output.say(f"{named} This is shown only now:")
    _printed(output, {**told, field: secret}, secret, place)


def hand_over_renewed(output: Output, renewed: Renewed, place: Place, field: str) -> None:
    """Of what was renewed; it is in the file, or with the command, already. Raises Problem."""
    told = {**_without_secrets(renewed.told)}
    named = f"Rotated {told.get('name') or told.get('key') or told.get('id')} ({told.get('id')})."
    if place.file or place.command:
        where = f"The new secret is in {place.file}. " if place.file else ""
        output.say(f"{named} {where}The one before {renewed.ends}.")
        if output.as_json:
            output.show(told, [])
        return
    output.say(f"{named} The secret before {renewed.ends}.")
    _printed(output, {**told, field: renewed.secret}, renewed.secret, place)


def _printed(output: Output, told: dict[str, Any], secret: str, place: Place) -> None:
    """Only what has left the program is forgotten here."""
    try:
        output.secret(told, secret)
        output.flush()
    except OSError as error:
        where = f"It waits in {place.named()}: run the same command again." if place.waiting else ""
        reason = (error.strerror or "").lower()
        raise Problem(f"The secret could not be printed ({reason}). {where}", ExitCode.LEFT_BEHIND) from None
    try:
        place.forget()
    except Problem as failure:
        kept = f"The secret was printed, and is still in {place.named()}. {failure.message} Remove it."
        raise Problem(kept, ExitCode.LEFT_BEHIND) from None


def _without_secrets(told: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name not in SECRETS}
