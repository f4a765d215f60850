"""`keyturn token …`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from rich.progress import Progress

from keyturn_cli import checks, keepers, logins, place, renewal, renewing, token_format
from keyturn_cli.api import Api, collection, part
from keyturn_cli.creation import Kind, create
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.handing import hand_over_made
from keyturn_cli.output import moment

if TYPE_CHECKING:
    from pathlib import Path

    from keyturn_cli.session import Session

Command = Callable[..., None]
# What describes a token, by name of the field; what may be repeated is a list.
DETAILS: dict[str, Callable[[Command], Command]] = {
    "labels": click.option("--label", "-l", "labels", multiple=True, type=checks.Label(), help="May be repeated."),
    "networks": click.option(
        "--network",
        "-n",
        "networks",
        multiple=True,
        type=checks.Network(),
        help="A network from which it may be used (CIDR). May be repeated.",
    ),
    "description": click.option("--description", type=checks.ABOUT),
    "contact": click.option("--contact", type=checks.NAME, help="Whom to ask about it."),
}
FIELDS = (
    "id,name,scope(id,key,name),user(id,login),author(id,name),creationTime,lastAccessTime,expiresOn,endsOn,flags,"
    + ",".join(DETAILS)
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
CURRENT = "current"
MOST_LABELS = 20
TOLERANCE_SECONDS = 3600  # of lives that are compared: requests take their time, and clocks differ


def _detail_options(command: Command) -> Command:
    for option in reversed(DETAILS.values()):
        command = option(command)
    return command


@click.group()
def token() -> None:
    """Permanent tokens."""


@token.command("list")
@click.argument("user", default="me", type=checks.REFERENCE)
@click.option("--label", type=checks.Label(), help="List the tokens of all accounts with this label.")
@click.option("--all", "everybody", is_flag=True, help="List the tokens of all accounts, by their next due date.")
@click.pass_obj
def list_tokens(session: Session, user: str, label: str | None, everybody: bool) -> None:
    """List the tokens of USER (a login or id; default: you), or those with a label, or all."""
    api: Api = session.api()
    with session.output.during("Reading"):
        path = f"/users/{part(user)}/permanenttokens"
        found = _trail(api, label) if label or everybody else collection(api, path, FIELDS)
    session.output.table(found, COLUMNS)


@token.command("create")
@click.argument("name", type=checks.NAME)
@click.option("--scope", "-s", multiple=True, required=True, help="A service that accepts the token. May be repeated.")
@click.option("--user", default="me", type=checks.REFERENCE, show_default=True, help="The account that it belongs to.")
@click.option("--expires", type=checks.LIFE, help="When it ends: 90d, 12h …")
@_detail_options
@click.option("--write", type=checks.FILE, help="Write the secret into this file.")
@click.option("--force", is_flag=True, help=checks.FORCE_HELP)
@click.pass_obj
def create_token(session: Session, /, name: str, user: str, write: Path | None, force: bool, **said: Any) -> None:
    """Create a token. Its secret is generated here, and printed or written into a file. If the answer is lost, run the
    same command again: it continues."""
    body: dict[str, Any] = {
        "name": name,
        "scope": [{"id": service} if service == "0-0-0-0-0" else {"key": service} for service in said["scope"]],
        **{name: list(said[name]) if isinstance(said[name], tuple) else said[name] for name in DETAILS},
        "expiresOn": None if said["expires"] is None else round(time.time() + said["expires"]) * 1000,
    }
    if len(body["labels"]) > MOST_LABELS:
        raise click.UsageError(f"--label: at most {MOST_LABELS} times.")
    where = place.for_creation(write, "create", session.known_address(), user, name, force=force)
    kind = Kind(
        f"/users/{part(user)}/permanenttokens",
        token_format.new_middle,
        token_format.is_middle,
        lambda middle, made: token_format.permanent_token(middle, made["user"]["id"], made["id"]),
        "/comparison",
        _differing,
        FIELDS,
    )
    api = session.api()
    with where.alone(session.patience), session.output.during("Making"):
        made, secret = create(api, kind, body, where)
        hand_over_made(session.output, made, secret, where, "token")


@token.command()
@click.argument("which", default=CURRENT, metavar="[TOKEN]", type=checks.REFERENCE)
@click.option("--user", default="me", type=checks.REFERENCE, show_default=True, help="The account that it belongs to.")
@renewing.options("token")
@click.pass_obj
def rotate(session: Session, which: str, user: str, grace: int, write: Path | None, command: str | None) -> None:
    """Rotate TOKEN (an id or name). Default: the token in the file of --write, or in KEYTURN_TOKEN.

    The new secret is generated here, and stored beside the file until Keyturn has accepted it. If the command is
    interrupted, run it again: it continues. If the command of --exec fails, the rotation is rolled back, and the exit
    code is 5. --timeout includes that command.
    """
    where = place.for_renewal(write, command, grace)
    kept, held = _kept(session, which, user, where.held, bool(command))
    renewed = renewing.renew(session, kept, grace, replace(where, held=held), "token")
    if held is not None:
        logins.replace_token(session.known_address(), held, renewed.secret)


@token.command()
@click.argument("which", nargs=-1, required=True, metavar="TOKEN…", type=checks.REFERENCE)
@click.option("--user", default="me", type=checks.REFERENCE, show_default=True, help="The account that they belong to.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def revoke(session: Session, which: tuple[str, ...], user: str, yes: bool) -> None:
    """Delete tokens (ids or names). They are refused from that moment."""
    api: Api = session.api()
    ids = {found["id"]: found["name"] for found in (_token(api, user, each) for each in which)}
    if not yes:
        click.confirm(f"Delete {', '.join(ids.values())} of {user}?", abort=True, err=True)
        api = session.api(renewed=True)
    with Progress(console=session.output.errors, disable=len(ids) < 3, transient=True) as progress:
        for id in progress.track(ids, description="Deleting"):
            api.delete(f"/users/{part(user)}/permanenttokens/{part(id)}")
    session.output.say(f"Deleted {', '.join(ids.values())}.")


def _differing(asked: dict[str, Any], made: dict[str, Any]) -> list[str]:
    """The options that were others when it was made, as far as they say what it may do."""
    known = [{str(each[name]).casefold() for name in ("id", "key", "name") if each.get(name)} for each in made["scope"]]
    wanted = {str(value).casefold() for each in asked["scope"] for value in each.values()}
    lives = [
        each["expiresOn"] and each["expiresOn"] / 1000 - begun
        for each, begun in ((asked, time.time()), (made, made["creationTime"] / 1000))
    ]
    same = {
        "--scope": all(wanted & each for each in known) and wanted <= set[str]().union(*known),
        "--expires": lives[0] == lives[1] if None in lives else abs(lives[0] - lives[1]) < TOLERANCE_SECONDS,
        "--label": {each.casefold() for each in asked["labels"]} == {each.casefold() for each in made["labels"]},
        "--network": set(asked["networks"]) == set(made["networks"]),
    }
    return [option for option, is_same in same.items() if not is_same]


def _kept(
    session: Session, which: str, user: str, held: str | None, takes_back: bool
) -> tuple[renewal.Kept, str | None]:
    """The token that is meant, and its secret until now if that is known. Raises Problem."""
    if which == CURRENT:
        held = held or session.token
        if held is None:
            raise Problem("Name a token, or the file with the one to rotate (--write), or set KEYTURN_TOKEN.")
        return _own(session, held), held
    api = session.api()
    found = _token(api, user, which)
    presented = session.presented()
    parsed = token_format.parse(presented)
    if parsed and parsed.ids[-1] == found["id"]:  # it renews itself, whatever it is called
        return _own(session, presented), presented
    kept = keepers.token_of(api, found["user"]["id"], found["id"], found["name"], held if takes_back else None)
    return kept, held if held and kept.owns(held) else None


def _own(session: Session, held: str) -> keepers.OwnToken:
    parsed = token_format.parse(held)
    if parsed is None or parsed.prefix != "ktp_":
        raise Problem(
            "What is presented is no permanent token, or is not all of it, and only that can be rotated.",
            ExitCode.NOT_LOGGED_IN,
        )
    return keepers.OwnToken(Api(session.known_address(), None, session.patience), held)


def _token(api: Api, user: str, which: str) -> dict[str, Any]:
    """The token, by id or name. Raises Problem."""
    tokens = collection(api, f"/users/{part(user)}/permanenttokens", "id,name,user(id)")
    by_id = [each for each in tokens if each["id"] == which]
    found = by_id or [each for each in tokens if each["name"] == which]
    if not found:
        raise Problem(f"{user} has no token of that id or name.")
    return found[0]


def _trail(api: Api, label: str | None) -> list[Any]:
    found: list[Any] = []
    after = None
    while True:
        page = api.get("/permanenttokens", fields=FIELDS, label=label, after=after)
        found, after = found + page["permanenttokens"], page["after"]
        if after is None:
            return found
