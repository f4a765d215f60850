"""Keyturn in an AWS account: package, deploy, remove.

\b
    python -m deployment package --stage prod FOLDER
    python -m deployment deploy --stage prod --bucket BUCKET
    python -m deployment remove --stage prod

Credentials and region are found as every AWS tool finds them.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import boto3
import click
from rich.console import Console
from rich.table import Table

from deployment.installation import CommandFailed, Installation
from deployment.packaging import STAGES, Package, PackagingError, package
from deployment.stack import Change, DeploymentError, Stack

console = Console(stderr=True)
stage_option = click.option("--stage", type=click.Choice(STAGES), required=True)
yes_option = click.option("--yes", is_flag=True, help="Do not ask before anything changes.")


@click.group(help=__doc__)
def main() -> None:
    """Everything is in the subcommands."""


@main.command()
@stage_option
@yes_option
@click.option("--bucket", required=True, help="A bucket of yours, for the package and the template.")
@click.option("--package", "folder", default=None, help="What `package` made; packaged anew if left out.")
@click.option("--address", default=None, help="Where browsers will find it; API Gateway's own address if left out.")
@click.option("--alarm-address", default=None, help="Who gets the alarms by e-mail.")
@click.option("--second-region", default=None, help="Where a copy of the table is kept.")
@click.option("--unprotected", is_flag=True, help="The table may be deleted.")
@click.option("--login", default="admin", show_default=True, help="Of the first administrator.")
def deploy(
    stage: str,
    yes: bool,
    bucket: str,
    folder: str | None,
    address: str | None,
    alarm_address: str | None,
    second_region: str | None,
    unprotected: bool,
    login: str,
) -> None:
    """Make an installation, or bring it up to date. A first administrator's token is printed once."""
    session = boto3.Session()
    installation = Installation(stage, _region(session))
    stack = Stack(session, installation.name, bucket)
    given = {"Address": address, "AlarmAddress": alarm_address, "SecondRegion": second_region}
    parameters = {**stack.parameters(), **{name: value for name, value in given.items() if value is not None}}
    parameters |= {"Stage": stage, "Protected": "false" if unprotected else "true"}
    is_new = stack.status() is None
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
    if is_new:
        console.print(f"{login} has a new token, shown only now:")
        click.echo(installation.administrator(login))


@main.command("package")
@stage_option
@click.argument("folder", type=click.Path(path_type=Path))
def package_command(stage: str, folder: Path) -> None:
    """Write the package and its template to a folder, for `deploy --package` or a pipeline of your own."""
    _package(stage, folder)
    console.print(f"{folder} has the package and its template.")


@main.command()
@stage_option
@yes_option
def remove(stage: str, yes: bool) -> None:
    """Remove functions, API and alarms. Table, keys and logs stay, so that deploying again brings everything back."""
    session = boto3.Session()
    stack = Stack(session, Installation(stage, _region(session)).name, bucket="")
    if stack.status() is None:
        console.print(f"There is no stack {stack.name}.")
        return
    if not yes:
        click.confirm(f"Remove {stack.name}? No token can be checked any more", abort=True, err=True)
    with console.status("Removing …"):
        stack.remove()
    console.print(f"{stack.name} is removed. The table {stack.name}, its key and the logs are still there.")


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


def _region(session: boto3.Session) -> str:
    if session.region_name is None:
        raise DeploymentError("No region is set: set AWS_REGION.")
    return session.region_name


if __name__ == "__main__":
    try:
        main()
    except (DeploymentError, PackagingError, CommandFailed) as problem:
        console.print(str(problem), style="red", markup=False)
        sys.exit(1)
