"""`keyturn service …`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from keyturn_cli import checks, keepers, place, renewal
from keyturn_cli.api import collection, part
from keyturn_cli.handing import hand_over_renewed
from keyturn_cli.output import moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from keyturn_cli.session import Session

COLUMNS = {
    "key": lambda each: each.get("key"),
    "name": lambda each: each.get("name"),
    "id": lambda each: each.get("id"),
    "secrets end": lambda each: [moment(one["endsOn"]) for one in each.get("secrets") or [] if one.get("endsOn")],
}
DEFAULT_GRACE = "24h"  # whoever forgets it has a day to bring the new secret everywhere


def renewing(what: str) -> Callable[[Any], Any]:
    """The options of a command that renews a secret of `what`."""
    options = [
        click.option(
            "--grace",
            type=checks.GRACE,
            default=DEFAULT_GRACE,
            show_default=True,
            help="How long the secret before goes on; 0: not at all.",
        ),
        click.option("--write", type=checks.FILE, help=f"The file with the secret of the {what}: replace it there."),
        click.option(
            "--exec",
            "command",
            type=checks.Command(),
            metavar="CMD",
            help="Hand it to this command, on its standard input.",
        ),
    ]

    def wrap(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return wrap


@click.group()
def service() -> None:
    """Services, and their secrets."""


@service.command("list")
@click.pass_obj
def list_services(session: Session) -> None:
    """All services that you may see."""
    with session.output.during("Reading"):
        found = collection(session.api(), "/services", keepers.SERVICE_FIELDS)
    session.output.table(found, COLUMNS)


@service.command("renew-secret")
@click.argument("which", metavar="SERVICE")
@renewing("service")
@click.pass_obj
def renew_secret(session: Session, which: str, grace: int, write: Path | None, command: str | None) -> None:
    """Give SERVICE (a key or id) a new secret.

    It is made here, and waits beside the file until Keyturn has taken it; the same command again goes on from wherever
    this one was cut. Verification by the service goes on for the grace with the secret before. If the command of --exec
    fails, it is taken back (exit code 5), which needs a grace, and the secret before in the file of --write.
    """
    where = place.for_renewal(write, command, grace)
    api = session.api()
    found = api.get(f"/services/{part(which)}")
    kept = keepers.service_of(api, found["id"], found.get("key") or which, where.held if command else None)
    renew(session, kept, grace, where)


def renew(session: Session, kept: keepers.Administered, grace: int, where: place.Place) -> None:
    """Renew it, and hand it over. Raises Problem."""
    held = where.held if where.held and kept.owns(where.held) else None
    where = replace(where, held=held).waiting_for("renew", session.known_address(), kept.identity)
    with session.output.during("Renewing"):
        renewed = renewal.renew(kept, grace, where, session.patience)
    hand_over_renewed(session.output, renewed, where, "secret")
