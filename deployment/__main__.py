"""Keyturn in an AWS account: package, deploy, migrate, remove, export, import.

\b
    python -m deployment package --stage prod FOLDER
    python -m deployment deploy --stage prod --bucket BUCKET
    python -m deployment migrate --stage prod
    python -m deployment remove --stage prod
    python -m deployment export --stage prod FILE --recipient age1…
    python -m deployment import --stage prod FILE --identity KEYFILE

Credentials and region are found as every AWS tool finds them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chalicelib.settings import SettingsError
from deployment import sealed_file
from deployment.export_signature import UntrustedExport
from deployment.installation import CommandFailed, Installation
from deployment.packaging import STAGES, Package, PackagingError, package
from deployment.restoration import Restoration, UnknownKind
from deployment.sealed_file import Export, SealError
from deployment.stack import Change, DeploymentError, Stack
from deployment.table_copy import ChangedMeanwhile, NotEmpty, TableCopy, records_since

PROBLEMS = (
    *(DeploymentError, PackagingError, CommandFailed, SettingsError),
    *(SealError, UntrustedExport, UnknownKind, ChangedMeanwhile, NotEmpty),
    *(BotoCoreError, ClientError, OSError),  # AWS or the disk refuses; their messages say what
)
console = Console(stderr=True)
stage_option = click.option("--stage", type=click.Choice(STAGES), required=True)
yes_option = click.option("--yes", is_flag=True, help="Do not ask before anything changes.")


@click.group(help=__doc__)
def main() -> None:
    """Everything is in the subcommands."""


@main.command()
@stage_option
@yes_option
@click.option("--bucket", required=True, help="Your S3 bucket for the package and the template.")
@click.option("--package", "folder", default=None, help="Folder written by `package`. Default: package anew.")
@click.option("--address", default=None, help="Public address. Default: the address of API Gateway.")
@click.option("--alarm-address", default=None, help="E-mail address for alarms.")
@click.option("--second-region", default=None, help="Region of a replica of the table.")
@click.option("--empty", is_flag=True, help="Create no administrator, because an import follows.")
@click.option("--unprotected", is_flag=True, help="Do not protect the table from deletion.")
@click.option("--login", default="admin", show_default=True, help="Login of the first administrator.")
def deploy(
    stage: str,
    yes: bool,
    bucket: str,
    folder: str | None,
    address: str | None,
    alarm_address: str | None,
    second_region: str | None,
    empty: bool,
    unprotected: bool,
    login: str,
) -> None:
    """Create an installation, or update it. A first administrator's token is printed once."""
    session = _session()
    installation = Installation(stage, session.region_name)
    stack = Stack(session, installation.name, bucket)
    given = {"Address": address, "AlarmAddress": alarm_address, "SecondRegion": second_region}
    parameters = {**stack.parameters(), **{name: value for name, value in given.items() if value is not None}}
    parameters |= {"Stage": stage, "Protected": "false" if unprotected else "true"}
    is_new = stack.is_new
    with contextlib.ExitStack() as scratch:
        if folder is None:
            folder = scratch.enter_context(tempfile.TemporaryDirectory())
            _package(stage, Path(folder))
        with console.status("Uploading …"):
            template = stack.upload(Package(Path(folder)))
    _change(stack, template, parameters, yes)
    if not parameters.get("Address"):  # its own address is known only now
        own = {**parameters, "Address": stack.outputs()["EndpointURL"].rstrip("/")}
        _change(stack, template, own, yes=True)
    installation.ensure_keys()
    console.print(f"{installation.name} is at {stack.parameters()['Address']}")
    if is_new and not empty:
        console.print(f"{login} has a new token, shown only now:")
        click.echo(installation.administrator(login))


@main.command()
@stage_option
def migrate(stage: str) -> None:
    """Migrate stored data, after a new version was deployed."""
    installation = Installation(stage, _session().region_name)
    with console.status("Looking at all of the table, if anything is waiting …"):
        console.print(installation.migrate())


@main.command("package")
@stage_option
@click.argument("folder", type=click.Path(path_type=Path))
def package_command(stage: str, folder: Path) -> None:
    """Write the package and its template to a folder, for `deploy --package` or a pipeline of your own."""
    _package(stage, folder)
    console.print(f"{folder} has the package and its template.")


@main.command("export")
@stage_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--recipient", help="age recipient (age1…) who can decrypt the file.")
@click.option("--kms-key", help="Encrypt with this KMS key instead (id, ARN or alias).")
def export_command(stage: str, file: Path, recipient: str | None, kms_key: str | None) -> None:
    """Write everything that the table holds, hashes and all, into an encrypted and signed file. The table must be at
    rest."""
    session = _session()
    installation = Installation(stage, session.region_name)
    begun, table, signer = time.time_ns() // 1_000_000, installation.name, installation.signers()[0]
    items = track(TableCopy(session.client("dynamodb"), table).items(begun), "Exporting", console=console)
    sealed_file.write(file, table, begun, items, _key(session, recipient, kms_key), signer)
    console.print(f"{file} has all of {table}. Its tag keys and signing keys are not in it.")
    console.print("Whoever imports it where those tag keys are not needs this key, with --trust:")
    click.echo(signer.public)


@main.command("import")
@stage_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--identity", type=click.File(), help="File with the age secret key.")
@click.option("--kms-key", help="Decrypt with this KMS key instead.")
@click.option(
    "--later",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A later export. What ended between the two is not restored.",
)
@click.option("--trust", multiple=True, help="Key that the export printed, in place of this installation's own.")
def import_command(
    stage: str, file: Path, identity: IO[str] | None, kms_key: str | None, later: Path | None, trust: tuple[str, ...]
) -> None:
    """Fill the empty table of an installation (see `deploy --empty`) from an export."""
    session = _session()
    key = _key(session, identity.read() if identity else None, kms_key)
    installation = Installation(stage, session.region_name)
    trusted = trust or [signer.public for signer in installation.signers()]
    export = Export(file, key, trusted)
    newer = Export(later, key, trusted) if later else None
    if newer and (newer.header.table != export.header.table or newer.header.begun <= export.header.begun):
        raise click.UsageError(f"--later must be an export of {export.header.table} that was begun after the other.")
    with console.status("Reading …"):
        restoration = Restoration(export.items, newer.items if newer else None)
    items = track(restoration.items(), "Importing", console=console)
    filled = TableCopy(session.client("dynamodb"), installation.name).fill(items)
    console.print(f"{installation.name} has {filled} items, as of {_moment(export)}.")
    _tell_what_to_look_at(restoration, export, newer)


def _tell_what_to_look_at(restoration: Restoration, export: Export, later: Export | None) -> None:
    if later is None:
        console.print(
            "Sessions, refresh tokens and approved scopes were left out. What of the rest was ended, narrowed or "
            "replaced after that moment is good again: do it again, or import with a later export (--later)."
        )
        click.echo("\n".join(f"{count} {kind}" for kind, count in sorted(restoration.kinds.items())))
        return
    console.print(f"What was ended after {_moment(later)} is good again: do that again.")
    changed = restoration.changed(records_since(export.items(), later.items(), export.header.begun))
    if changed:
        console.print("These changes came between the two, and hold. They have to be looked at:")
        click.echo("\n".join(changed))
    if restoration.unguarded:
        console.print("These accounts are not in these groups any more, which gave and demanded something:")
        click.echo("\n".join(restoration.unguarded))


def _moment(export: Export) -> str:
    return f"{datetime.fromtimestamp(export.header.begun / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


@main.command()
@stage_option
@yes_option
def remove(stage: str, yes: bool) -> None:
    """Remove functions, API and alarms. Table, keys and logs stay."""
    session = _session()
    stack = Stack(session, Installation(stage, session.region_name).name, bucket="")
    if stack.status() is None:
        console.print(f"There is no stack {stack.name}.")
        return
    if not yes:
        click.confirm(f"Remove {stack.name}? No token can be checked any more", abort=True, err=True)
    with console.status("Removing …"):
        stack.remove()
    console.print(f"{stack.name} is removed. The table {stack.name}, its key and the logs are still there.")


def _key(session: boto3.Session, age: str | None, kms: str | None) -> sealed_file.Key:
    if (age is None) == (kms is None):
        raise click.UsageError("Give a key of age or one of KMS.")
    return sealed_file.AgeKey(age) if age is not None else sealed_file.KmsKey(session.client("kms"), kms or "")


def _package(stage: str, folder: Path) -> None:
    with console.status("Packaging …"):
        package(stage, folder)


def _change(stack: Stack, template: str, parameters: dict[str, str], yes: bool) -> None:
    with console.status("Asking CloudFormation what would change …"):
        changes = stack.prepare(template, parameters)
    if not changes:
        console.print("Nothing changes.")
        return
    console.print(_table(changes))
    if not yes:
        click.confirm("Carry this out?", abort=True, err=True)
    with console.status("Changing …"):
        stack.carry_out()


def _table(changes: list[Change]) -> Table:
    table = Table("", "resource", "kind")
    for each in sorted(changes, key=lambda change: (change.action, change.name)):
        table.add_row("Replace" if each.replacement else each.action, each.name, each.type)
    return table


def _session() -> boto3.Session:
    session = boto3.Session(region_name=os.environ.get("AWS_REGION"))  # which boto3 alone does not look at
    if session.region_name is None:
        raise DeploymentError("No region is set: set AWS_REGION.")
    return session


if __name__ == "__main__":
    try:
        main()
    except PROBLEMS as problem:
        console.print(str(problem), style="red", markup=False)
        sys.exit(1)
