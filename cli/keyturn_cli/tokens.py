"""`keyturn token …`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress

from keyturn_cli.api import Api, collection, part
from keyturn_cli.errors import Problem
from keyturn_cli.files import read_secret, require_writable, write_secret
from keyturn_cli.output import Output, moment
from keyturn_cli.rotation import Place, token_path
from keyturn_cli.rotation import rotate as rotate_token

FIELDS = (
    "id,name,scope(id,key,name),user(id,login),author(id,name),creationTime,lastAccessTime,expiresOn,endsOn,flags,"
    "labels,description,contact,networks"
)
COLUMNS = {
    "owner": lambda each: each["user"]["login"],
    "name": lambda each: each["name"],
    "id": lambda each: each["id"],
    "scope": lambda each: [service["key"] or service["id"] for service in each["scope"]],
    "labels": lambda each: each["labels"],
    "last used": lambda each: moment(each["lastAccessTime"]),
    "ends": lambda each: moment(each["endsOn"]),
    "look": lambda each: each["flags"],
}
UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1, "w": 604_800}


@click.group()
def token() -> None:
    """Permanent tokens."""


@token.command("list")
@click.argument("user", default="me")
@click.option("--label", help="Those of all accounts with this label.")
@click.option("--all", "everybody", is_flag=True, help="Those of all accounts, by what happens to them first.")
@click.pass_obj
def list_tokens(session: Any, user: str, label: str | None, everybody: bool) -> None:
    """The tokens of USER (a login or id), of yourself unless said; or with a label; or all."""
    api: Api = session.api()
    with session.output.during("Reading"):
        path = f"/users/{part(user)}/permanenttokens"
        found = _trail(api, label) if label or everybody else collection(api, path, FIELDS)
    session.output.table(found, COLUMNS)


@token.command()
@click.argument("name")
@click.option("--scope", "-s", multiple=True, required=True, help="A service that it is for. Several times.")
@click.option("--user", default="me", show_default=True, help="Whose it is.")
@click.option("--expires", help="When it ends: 90d, 12h …")
@click.option("--label", "-l", multiple=True, help="Several times.")
@click.option("--network", "-n", multiple=True, help="From where alone it may be used (CIDR). Several times.")
@click.option("--description")
@click.option("--contact", help="Whom to ask about it.")
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Put the secret into this file.")
@click.pass_obj
def create(session: Any, /, name: str, user: str, write: Path | None, **said: Any) -> None:
    """Make a token. Its secret is printed, which happens once, or written into a file."""
    body = {
        "name": name,
        "scope": [{"id": service} if service == "0-0-0-0-0" else {"key": service} for service in said["scope"]],
        "labels": list(said["label"]),
        "networks": list(said["network"]),
        "description": said["description"],
        "contact": said["contact"],
        "expiresOn": _moment(said["expires"]),
    }
    if write:
        require_writable(write)  # before there is a secret that would be lost
    made = session.api().post(f"/users/{part(user)}/permanenttokens", body)
    _hand_over(session.output, made, write, f"Made {made['name']} ({made['id']}).")


@token.command()
@click.argument("which", default="current", metavar="[TOKEN]")
@click.option("--user", default="me", show_default=True, help="Whose it is.")
@click.option("--grace", default="24h", show_default=True, help="How long the secret before goes on; 0: not at all.")
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Replace the secret in this file.")
@click.option("--exec", "command", metavar="CMD", help="Hand it to this command, on its standard input.")
@click.pass_obj
def rotate(session: Any, which: str, user: str, grace: str, write: Path | None, command: str | None) -> None:
    """Give TOKEN (an id or name) a new secret; without TOKEN, the one that is presented: the secret in the file of
    --write, or KEYTURN_TOKEN.

    If the file cannot be written or the command fails, everything is as before, and the exit code is 5.
    """
    held = read_secret(write) if write else None
    if which == "current":
        held = held or session.token
        if held is None:
            raise Problem("Name a token, or the file with the one to rotate (--write), or set KEYTURN_TOKEN.")
        api, user, id = Api(session.known_address(), held), "me", "current"
    else:
        api = session.api()
        id = _id(api, user, which)
    seconds = str(_seconds(grace, "--grace"))
    if seconds == "0" and command and not write:
        raise Problem("Without grace nothing can be taken back: name a file too (--write), which keeps the new secret.")
    with session.output.during("Rotating"):
        made = rotate_token(api, token_path(user, id), seconds, Place(write, command, held))
    if write or command:
        made.pop("token")
        session.output.say(f"Rotated {made['name']} ({made['id']}); the secret before goes on for {grace}.")
        if session.output.as_json:
            session.output.show(made, [])
    else:
        session.output.secret(made, made["token"])


@token.command()
@click.argument("which", nargs=-1, required=True, metavar="TOKEN…")
@click.option("--user", default="me", show_default=True, help="Whose they are.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(session: Any, which: tuple[str, ...], user: str, yes: bool) -> None:
    """Delete tokens (ids or names). They are refused from that moment."""
    api: Api = session.api()
    ids = {_id(api, user, each): each for each in which}
    if not yes:
        click.confirm(f"Delete {', '.join(ids.values())} of {user}?", abort=True, err=True)
    with Progress(console=session.output.errors, disable=len(ids) < 3, transient=True) as progress:
        for id in progress.track(ids, description="Deleting"):
            api.delete(token_path(user, id))
    session.output.say(f"Deleted {', '.join(ids.values())}.")


def _hand_over(output: Output, made: dict[str, Any], file: Path | None, message: str) -> None:
    secret = made.get("token")
    if secret is None:  # an answer was lost, and the same request asked again
        raise Problem(f"{message} Its secret was in an answer that was lost. Delete it, and make another.")
    if file:
        write_secret(file, secret)
        made = {name: value for name, value in made.items() if name != "token"}
        output.say(message)
        if output.as_json:
            output.show(made, [])
    else:
        output.say(f"{message} This is shown only now:")
        output.secret(made, secret)


def _id(api: Api, user: str, which: str) -> str:
    """The token's id, by id or name. Raises Problem."""
    tokens = collection(api, f"/users/{part(user)}/permanenttokens", "id,name")
    ids = [each["id"] for each in tokens]
    found = [which] if which in ids else [each["id"] for each in tokens if each["name"] == which]
    if not found:
        raise Problem(f"{user} has no token of that id or name.")
    return str(found[0])


def _trail(api: Api, label: str | None) -> list[Any]:
    found: list[Any] = []
    after = None
    while True:
        page = api.get("/permanenttokens", fields=FIELDS, label=label, after=after)
        found, after = found + page["permanenttokens"], page["after"]
        if after is None:
            return found


def _moment(text: str | None) -> int | None:
    return None if text is None else round(time.time() * 1000) + _seconds(text, "--expires") * 1000


def _seconds(text: str, option: str) -> int:
    """A length of time such as 90d or 3600. Raises Problem."""
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    if not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise Problem(f"{option}: {text!r} is no length of time such as 90d, 12h, 30m or 3600.")
    return int(number) * UNITS[unit]
