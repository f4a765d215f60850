"""The command `keyturn`."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click

from keyturn_cli import federation, logins
from keyturn_cli.api import TOKEN, Api
from keyturn_cli.errors import ExitCode, Problem
from keyturn_cli.hub.command import hub_import
from keyturn_cli.output import Output
from keyturn_cli.tokens import token

CLIENT = "keyturn-cli"
DEVICE = "/api/rest/oauth2/device_authorization"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
SHELLS = ("bash", "zsh", "fish")


@dataclass
class Session:
    """What all commands share."""

    address: str | None
    token: str | None
    output: Output

    def api(self) -> Api:
        """The installation that is meant, asked by whoever is logged in there. Raises Problem."""
        address = self.known_address()
        presented = self.token or logins.token_for(address)
        if presented is None:
            raise Problem("Nobody is logged in. Run: keyturn login, or set KEYTURN_TOKEN.", ExitCode.NOT_LOGGED_IN)
        return Api(address, presented)

    def known_address(self) -> str:
        """Where: as said, or else where somebody logged in last. Raises Problem."""
        address = self.address or next(iter(logins.addresses()), None)
        if address is None:
            raise Problem("Say where Keyturn is: --address https://…, or KEYTURN_ADDRESS.")
        return address.rstrip("/")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--address", envvar="KEYTURN_ADDRESS", metavar="URL", help="Where Keyturn is. [env: KEYTURN_ADDRESS]")
@click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
@click.version_option(package_name="keyturn-cli")
@click.pass_context
def cli(context: click.Context, address: str | None, as_json: bool) -> None:
    """Keyturn's tokens: who has them, new ones, new secrets.

    KEYTURN_TOKEN is presented if it is set; otherwise whoever has logged in.
    """
    presented = os.environ.get("KEYTURN_TOKEN", "").strip()  # as it comes out of a file
    context.obj = Session(address, presented or None, Output(as_json))


cli.add_command(token)
cli.add_command(hub_import)


@cli.command()
@click.option("--with-token", is_flag=True, help="Read a permanent token from the standard input.")
@click.option("--client", default=CLIENT, show_default=True, help="The service that stands for this program.")
@click.pass_obj
def login(session: Session, with_token: bool, client: str) -> None:
    """Log in: in a browser, on this machine or another, or with a token."""
    address = session.known_address()
    if with_token:
        presented = sys.stdin.readline().strip()
        user = Api(address, presented).get("/users/me", fields="login,name")
        logins.keep(address, logins.Login(presented))
    else:
        made = _by_device(address, client, session.output)
        user = Api(address, made.token).get("/users/me", fields="login,name")
        logins.keep(address, made)
    session.output.say(f"Logged in at {address} as {user['login']}.")


def _by_device(address: str, client: str, output: Output) -> logins.Login:
    """RFC 8628: the code is shown here, and approved in a browser wherever there is one. Raises Problem."""
    api = Api(address)
    status, started = api.form(DEVICE, [("client_id", client), ("scope", "0-0-0-0-0 offline_access")])
    if status != 200:
        described = (started or {}).get("error_description", f"The server answered with {status}.")
        raise Problem(
            f"{described} Logging in this way needs a public service {client!r} with the grant type device_code; an "
            "administrator registers it once."
        )
    output.say(f"Open {started['verification_uri']} and type {started['user_code']}")
    output.say(f"or open {started['verification_uri_complete']}")
    ends, interval = time.monotonic() + started["expires_in"], started["interval"]
    fields = [("grant_type", DEVICE_CODE), ("device_code", started["device_code"]), ("client_id", client)]
    with output.during("Waiting until it is approved"):
        while time.monotonic() < ends:
            time.sleep(interval)
            status, answer = api.form(TOKEN, fields)
            if status == 200:
                return logins.from_answer(answer, client)
            error = (answer or {}).get("error")
            if error == "slow_down":
                interval += 5
            elif error != "authorization_pending":
                raise Problem("It was not approved.", ExitCode.NOT_LOGGED_IN)
    raise Problem("Nobody approved it in time.", ExitCode.NOT_LOGGED_IN)


@cli.command()
@click.pass_obj
def logout(session: Session) -> None:
    """Forget who was logged in. A token that was used for it stays good."""
    address = session.known_address()
    known = logins.forget(address)
    session.output.say(f"Logged out of {address}." if known else f"Nobody was logged in at {address}.")


@cli.command()
@click.pass_obj
def whoami(session: Session) -> None:
    """Who asks, as Keyturn sees it."""
    user = session.api().get("/users/me", fields="id,login,name,type,groups(id,name)")
    user["groups"] = [group["name"] for group in user.get("groups", [])]
    session.output.show(user, [(name, user[name]) for name in ("login", "name", "type", "id", "groups")])


@cli.command()
@click.pass_obj
def health(session: Session) -> None:
    """Whether the installation answers, and how fast."""
    api = Api(session.known_address())
    began = time.monotonic()
    answer = api.health()
    took = round((time.monotonic() - began) * 1000)
    told = {"address": api.address, **answer, "milliseconds": took}
    session.output.show(told, list(told.items()))


@cli.command()
@click.option("--account", required=True, help="The bot, by login or id.")
@click.option("--scope", help="Services, with spaces between; all that the trust rule names unless said.")
@click.option("--audience", help="For whom the platform makes its token; the address unless said.")
@click.option("--assertion-file", type=click.Path(path_type=Path), help="Where the platform's token is.")
@click.pass_obj
def federate(
    session: Session, account: str, scope: str | None, audience: str | None, assertion_file: Path | None
) -> None:
    """Trade the platform's identity token for a short-lived access token, which is printed."""
    address = session.known_address()
    assertion = federation.identity_token(audience or address, assertion_file)
    fields = [("grant_type", federation.JWT_BEARER), ("assertion", assertion), ("account", account)]
    status, answer = Api(address).form(TOKEN, fields + ([("scope", scope)] if scope else []))
    if status != 200 or not isinstance(answer, dict):
        described = answer.get("error_description") if isinstance(answer, dict) else None
        raise Problem(described or f"The server answered with {status}.", ExitCode.NOT_LOGGED_IN)
    session.output.secret(answer, answer["access_token"])


@cli.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print what completes commands in a shell; such as: keyturn completion bash > ~/.keyturn; . ~/.keyturn"""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found
    click.echo(found(cli, {}, "keyturn", "_KEYTURN_COMPLETE").source())


def main() -> None:
    """The program, as the system starts it."""
    cli(prog_name="keyturn")


if __name__ == "__main__":
    main()
