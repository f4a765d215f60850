"""`keyturn hub-import`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.progress import Progress

from keyturn_cli.api import Api
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.files import make_folder, require_writable
from keyturn_cli.hub import letters, source
from keyturn_cli.hub.moving import MADE, REFUSED, THERE, Move, Report

if TYPE_CHECKING:
    from collections.abc import Iterable

    from keyturn_cli.output import Output
    from keyturn_cli.session import Session

OUTCOMES = (MADE, THERE, REFUSED)


@click.command("hub-import")
@click.option(
    "--from", "address", required=True, metavar="URL", help="Address of the Hub, such as https://example.com/hub."
)
@click.option(
    "--bots", multiple=True, metavar="GROUP", help="A group in Hub whose members become bots. May be repeated."
)
@click.option(
    "--letters", "folder", type=click.Path(path_type=Path, file_okay=False), help="Write letters into this directory."
)
@click.option("--sender", help="Sender of the letters.")
@click.option("--dry-run", is_flag=True, help="Only show what there is to do.")
@click.pass_obj
def hub_import(
    session: Session, address: str, bots: tuple[str, ...], folder: Path | None, sender: str | None, dry_run: bool
) -> None:
    """Import accounts, groups, services and tokens from a JetBrains Hub.

    HUB_TOKEN is the token of an administrator of the Hub. Nothing is changed in Hub, and what Keyturn has already
    stays as it is, so you can run it again. Tokens come without their secrets: whoever uses one rotates it, and the
    letters say so.
    """
    presented = os.environ.get("HUB_TOKEN")
    if not presented:
        raise Problem("Set HUB_TOKEN to a permanent token of an administrator of the Hub.", ExitCode.NOT_LOGGED_IN)
    if folder and not dry_run:
        make_folder(folder)
        require_writable(folder / "letter.eml")
    if not session.timed:  # a Hub may have more than any bound for all of it allows
        session.patience = replace(session.patience, each=True)
    api, output = session.api(), session.output
    holdings = _read(Api(address, presented, session.patience), output)
    unknown = set(bots) - {each["name"] for each in holdings.groups}
    if unknown:
        raise Problem(f"--bots: the Hub has no group {', '.join(sorted(unknown))}.")
    with Progress(console=output.errors, transient=True) as progress:

        def track(things: list[source.Raw], name: str) -> Iterable[source.Raw]:
            return progress.track(things, description=name)

        report = Move(api, holdings, bots, dry_run).run(track)
    _tell(output, report, dry_run)
    if folder and not dry_run:
        try:
            written = letters.write(folder, api.address, sender, report.tokens)
        except OSError as error:
            reason = f"The letters cannot be written ({error.strerror}); all else is done, so run it again."
            raise Problem(reason, ExitCode.LEFT_BEHIND) from None
        output.say(f"{len(written)} letters are in {folder}.")
    if report.refused:
        raise Problem(f"{len(report.refused)} could not be moved; the rest was.", ExitCode.LEFT_BEHIND)


def _read(hub: Api, output: Output) -> source.Holdings:
    with output.errors.status("Reading from Hub …") as status:
        return source.read(hub, lambda what: status.update(f"Reading {what} from Hub …"))


def _tell(output: Output, report: Report, pretended: bool) -> None:
    rows = [{"what": kind, **counts} for kind, counts in report.counts.items()]
    names = {outcome: "to make" if pretended and outcome is MADE else outcome for outcome in OUTCOMES}

    def taking(outcome: str) -> Any:
        return lambda row: row.get(outcome, 0)

    output.table(rows, {"": lambda row: row["what"], **{names[each]: taking(each) for each in OUTCOMES}})
    for line in report.refused:
        output.say(f"Refused: {line}")
