"""`keyturn webhook …`: addresses that are sent what happens to tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from keyturn_cli import checks, keepers, place, renewing, token_format
from keyturn_cli.api import Api, collection, part
from keyturn_cli.creation import Kind, create, folded
from keyturn_cli.errors import Problem
from keyturn_cli.handing import SECRETS, hand_over_made
from keyturn_cli.output import moment

if TYPE_CHECKING:
    from pathlib import Path

    from keyturn_cli.session import Session

COLUMNS = {
    "name": lambda each: each.get("name"),
    "id": lambda each: each.get("id"),
    "address": lambda each: each.get("url"),
    "events": lambda each: each.get("kinds") or "all",
    "last answered": lambda each: moment(each.get("lastSuccess")),
    "fails since": lambda each: moment(each.get("failing")),
    "why": lambda each: each.get("problem"),
    "given up": lambda each: each.get("givenUps"),
}
ALL_FIELDS = (
    "id,name,url,kinds,creationTime,secrets(creationTime,endsOn),lastSuccess,failing,problem,waiting,attempt,attempts,"
    "nextTry,givenUps,givenUp(kind,tokenId,time,problem),gone"
)
OF_TOKENS = (
    "created",
    "updated",
    "rotated",
    "rotation-taken-back",
    "expiring",
    "expired",
    "rotation-due",
    "unused",
    "reused",
    "leaked",
    "revoked",
)
EVENTS = (
    *(f"permanent-token.{each}" for each in OF_TOKENS),
    "service.secret-renewed",
    "service.secret-renewal-taken-back",
)
EVENT = click.Choice(EVENTS)


@click.group()
def webhook() -> None:
    """Webhooks: receivers of events."""


@webhook.command("list")
@click.pass_obj
def list_webhooks(session: Session) -> None:
    """List webhooks, and how they answer."""
    with session.output.during("Reading"):
        found = collection(session.api(), "/webhooks", None)
    session.output.table(found, COLUMNS)


@webhook.command()
@click.argument("which", metavar="WEBHOOK")
@click.pass_obj
def show(session: Session, which: str) -> None:
    """Show a webhook (a name or id): how it answers, what is wrong, and when it is tried again."""
    api = session.api()
    _show(session, api.get(f"/webhooks/{part(_webhook(api, which)['id'])}", fields=ALL_FIELDS))


@webhook.command("create")
@click.argument("name", type=checks.NAME)
@click.argument("url", type=checks.WebAddress())
@click.option(
    "--event",
    "-e",
    "events",
    multiple=True,
    type=EVENT,
    metavar="EVENT",
    help=f"An event type that it receives; default: all. May be repeated. Types: {', '.join(EVENTS)}.",
)
@click.option("--write", type=checks.FILE, help="Write the secret into this file.")
@click.option("--force", is_flag=True, help=checks.FORCE_HELP)
@click.pass_obj
def create_webhook(
    session: Session, name: str, url: str, events: tuple[str, ...], write: Path | None, force: bool
) -> None:
    """Send events to URL. The secret that signs them is generated here, and printed or written into a file."""
    where = place.for_creation(write, "webhook", session.known_address(), name, force=force)
    api = session.api()
    with where.alone(session.patience), session.output.during("Making"):
        made, secret = create(api, _KIND, {"name": name, "url": url, "kinds": list(events)}, where)
        hand_over_made(session.output, made, secret, where, "secret")


@webhook.command()
@click.argument("which", metavar="WEBHOOK")
@click.option("--name", type=checks.NAME)
@click.option("--url", type=checks.WebAddress())
@click.option(
    "--event",
    "-e",
    "events",
    multiple=True,
    type=EVENT,
    metavar="EVENT",
    help="An event type that it receives. May be repeated.",
)
@click.option("--all-events", is_flag=True, help="It receives all types.")
@click.pass_obj
def update(
    session: Session, which: str, name: str | None, url: str | None, events: tuple[str, ...], all_events: bool
) -> None:
    """Change WEBHOOK (a name or id): its name, address or events. The secret stays."""
    if events and all_events:
        raise click.UsageError("--event and --all-events contradict each other.")
    kinds = list(events) if events or all_events else None
    body = {key: value for key, value in (("name", name), ("url", url), ("kinds", kinds)) if value is not None}
    if not body:
        raise click.UsageError("Say what is to change: --name, --url, --event or --all-events.")
    api = session.api()
    changed = api.post(f"/webhooks/{part(_webhook(api, which)['id'])}", body)
    session.output.say(f"Changed {changed.get('name')} ({changed.get('id')}).")
    if session.output.as_json:
        _show(session, changed)


@webhook.command("renew-secret")
@click.argument("which", metavar="WEBHOOK")
@renewing.options("webhook")
@click.pass_obj
def renew_secret(session: Session, which: str, grace: int, write: Path | None, command: str | None) -> None:
    """Rotate the secret of WEBHOOK (a name or id).

    For the grace period, messages are signed by both secrets, so that you can change the receiver without losing any.
    If the command of --exec fails, the rotation is rolled back (exit code 5). This needs a grace, and the previous
    secret in the file of --write.
    """
    where = place.for_renewal(write, command, grace)
    api = session.api()
    found = _webhook(api, which)
    kept = keepers.webhook_of(api, found["id"], found["name"], where.held if command else None)
    renewing.renew(session, kept, grace, where)


@webhook.command()
@click.argument("which", metavar="WEBHOOK")
@click.pass_obj
def test(session: Session, which: str) -> None:
    """Send a test event to WEBHOOK; `show` tells how it was answered."""
    api = session.api()
    found = _webhook(api, which)
    api.send("POST", f"/webhooks/{part(found['id'])}/test")
    session.output.say(f"Sent to {found['name']} ({found['id']}). See: keyturn webhook show {found['id']}")


@webhook.command()
@click.argument("which", metavar="WEBHOOK")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(session: Session, which: str, yes: bool) -> None:
    """Delete WEBHOOK (a name or id). It receives nothing more."""
    api = session.api()
    found = _webhook(api, which)
    if not yes:
        click.confirm(f"Delete {found['name']} ({found['id']})?", abort=True, err=True)
        api = session.api(renewed=True)
    api.delete(f"/webhooks/{part(found['id'])}")
    session.output.say(f"Deleted {found['name']} ({found['id']}).")


def _differing(asked: dict[str, Any], made: dict[str, Any]) -> list[str]:
    same = {"URL": asked["url"] == made.get("url"), "--event": set(asked["kinds"]) == set(made.get("kinds") or [])}
    return [option for option, is_same in same.items() if not is_same]


_KIND = Kind(
    "/webhooks",
    token_format.new_webhook_secret,
    token_format.is_webhook_secret,
    lambda secret, made: secret,
    "/secret/comparison",
    _differing,
    unique=folded,
)


def _webhook(api: Api, which: str) -> dict[str, Any]:
    """By id or name; case matters where older servers let two differ in it alone. Raises Problem."""
    webhooks = collection(api, "/webhooks", None)
    found = [each for each in webhooks if each["id"] == which] or [each for each in webhooks if each["name"] == which]
    found = found or [each for each in webhooks if folded(each["name"]) == folded(which)]
    if not found:
        raise Problem("There is no webhook of that id or name.")
    if len(found) > 1:
        raise Problem("Several webhooks have that name: say the id.")
    return found[0]


def _show(session: Session, found: dict[str, Any]) -> None:
    told = {name: value for name, value in found.items() if name not in SECRETS}
    session.output.show(told, [(name, _shown(value)) for name, value in told.items() if name != "type"])


def _shown(value: Any) -> Any:
    """A moment is in milliseconds since the epoch; secrets are told by their ends."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and value > 10**11:
        return moment(value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(one)}" for name, one in value.items() if name != "type")
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return [f"{moment(each.get('creationTime'))} to {moment(each.get('endsOn'))}" for each in value]
    return value
