"""The command `keyturn`."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NoReturn

import click

from keyturn_cli import checks, program
from keyturn_cli.api import Api, has_id
from keyturn_cli.entering import federate, login, logout
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.hub.command import hub_import
from keyturn_cli.output import Output
from keyturn_cli.patience import DEFAULT_SECONDS, Patience
from keyturn_cli.services import service
from keyturn_cli.session import Session
from keyturn_cli.tokens import token
from keyturn_cli.webhooks import webhook

if TYPE_CHECKING:
    from collections.abc import Sequence

SHELLS = ("bash", "zsh", "fish")
LONGEST_TIMEOUT = checks.DAY


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--address", envvar="KEYTURN_ADDRESS", metavar="URL", help="Address of the installation. [env: KEYTURN_ADDRESS]"
)
@click.option(
    "--as",
    "account",
    envvar="KEYTURN_AS",
    metavar="BOT",
    help="Act as this bot, by the identity token of the pipeline. [env: KEYTURN_AS]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, errors included.")
@click.option(
    "--timeout",
    type=checks.Length(1, LONGEST_TIMEOUT),
    metavar="TIME",
    help=f"Time limit of the whole command. Default: {DEFAULT_SECONDS}s. `login` with a browser waits as long as its "
    "code is valid, and `hub-import` has the time for each request.",
)
@click.version_option(package_name="keyturn-cli")
@click.pass_context
def cli(context: click.Context, address: str | None, account: str | None, as_json: bool, timeout: int | None) -> None:
    """Keyturn's tokens: list, create, rotate, revoke.

    Commands use KEYTURN_TOKEN if it is set, and otherwise your login. With --as, they use an access token of that bot.
    """
    presented = os.environ.get("KEYTURN_TOKEN", "").strip()  # as it comes out of a file
    if account and presented:
        raise Problem("KEYTURN_TOKEN and --as (KEYTURN_AS) name two who ask. Leave one out.", ExitCode.USAGE)
    output = Output(as_json)
    patience = Patience(timeout or DEFAULT_SECONDS, output.say)
    context.obj = Session(address, presented or None, output, patience, timeout is not None, account=account)
    context.call_on_close(context.obj.end)


for command in (token, service, webhook, hub_import, login, logout, federate):
    cli.add_command(command)


@cli.command()
@click.pass_obj
def whoami(session: Session) -> None:
    """Show the account that you use."""
    user = session.api().get("/users/me", has_id, fields="id,login,name,type,groups(id,name)")
    user["groups"] = [group["name"] for group in user.get("groups", [])]
    session.output.show(user, [(name, user[name]) for name in ("login", "name", "type", "id", "groups")])


@cli.command()
@click.pass_obj
def health(session: Session) -> None:
    """Show whether the installation answers, and how fast."""
    api = Api(session.known_address(), None, session.patience)
    began = time.monotonic()
    answer = api.health()
    took = round((time.monotonic() - began) * 1000)
    told = {"address": api.address, **answer, "milliseconds": took}
    session.output.show(told, list(told.items()))


@cli.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a completion script for a shell. Example: keyturn completion bash > ~/.keyturn; . ~/.keyturn"""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found
    click.echo(found(cli, {}, program.NAME, "_KEYTURN_COMPLETE").source())


def run(arguments: Sequence[str]) -> int:
    """One command; the exit code."""
    return program.run(cli, arguments)


def main() -> NoReturn:
    """The program, as the system starts it."""
    for number in range(3):  # what is closed is no place for a file that is opened, such as one with a secret
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    code = run(sys.argv[1:])
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:  # it was told already; the interpreter would say it once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


if __name__ == "__main__":
    main()
