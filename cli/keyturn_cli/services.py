"""`keyturn service …`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from keyturn_cli import checks, keepers, place, renewing
from keyturn_cli.api import collection, has_id, part
from keyturn_cli.output import moment

if TYPE_CHECKING:
    from pathlib import Path

    from keyturn_cli.session import Session

COLUMNS = {
    "key": lambda each: each.get("key"),
    "name": lambda each: each.get("name"),
    "id": lambda each: each.get("id"),
    "secrets end": lambda each: [moment(one["endsOn"]) for one in each.get("secrets") or [] if one.get("endsOn")],
}


@click.group()
def service() -> None:
    """Services, and their secrets."""


@service.command("list")
@click.pass_obj
def list_services(session: Session) -> None:
    """List the services that you may see."""
    with session.output.during("Reading"):
        found = collection(session.api(), "/services", keepers.SERVICE_FIELDS)
    session.output.table(found, COLUMNS)


@service.command("renew-secret")
@click.argument("which", metavar="SERVICE", type=checks.REFERENCE)
@renewing.options("service")
@click.pass_obj
def renew_secret(session: Session, which: str, grace: int, write: Path | None, command: str | None) -> None:
    """Rotate the secret of SERVICE (a key or id).

    The new secret is generated here, and stored beside the file until Keyturn has accepted it. If the command is
    interrupted, run it again: it continues. The service can use the previous secret for the grace period. If the
    command of --exec fails, the rotation is rolled back (exit code 5). This needs a grace, and the previous secret in
    the file of --write.
    """
    where = place.for_renewal(write, command, grace)
    api = session.api()
    found = api.get(f"/services/{part(which)}", has_id)
    kept = keepers.service_of(api, found["id"], found.get("key") or which, where.held if command else None)
    renewing.renew(session, kept, grace, where)
