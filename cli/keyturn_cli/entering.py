"""`keyturn login`, `logout` and `federate`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keyturn_cli import federation, identity, logins
from keyturn_cli.api import TOKEN, Api
from keyturn_cli.errors import AnswerLost, ExitCode, Problem

if TYPE_CHECKING:
    from keyturn_cli.output import Output
    from keyturn_cli.patience import Patience
    from keyturn_cli.session import Session

CLIENT = "keyturn-cli"
DEVICE = "/api/rest/oauth2/device_authorization"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
POLL_SECONDS = 30  # that one question may take
LEAST_INTERVAL = 1


@click.command()
@click.option("--with-token", is_flag=True, help="Read a permanent token from the standard input.")
@click.option("--client", default=CLIENT, show_default=True, help="The service that stands for this program.")
@click.pass_obj
def login(session: Session, with_token: bool, client: str) -> None:
    """Log in: with a browser on this machine or another, or with a token.

    With a browser, it waits as long as the code that it shows is valid (--timeout does not apply).
    """
    address = session.known_address()
    logins.require_room()
    if with_token:
        presented = sys.stdin.readline().strip()
        if not presented:
            raise Problem("There is no token on the standard input.")
        patience = session.patience.again()  # somebody may have typed it
        user = Api(address, presented, patience).get("/users/me", fields="login,name")
        logins.keep(address, logins.Login(presented))
    else:
        made = _by_device(address, client, session.output, session.patience)
        logins.keep(address, made)  # before anything else is asked: it could not be got again
        user = Api(address, made.token, session.patience.again()).get("/users/me", fields="login,name")
    session.output.say(f"Logged in at {address} as {user['login']}.")


def _by_device(address: str, client: str, output: Output, patience: Patience) -> logins.Login:
    """RFC 8628: the code is shown here, and approved in a browser wherever there is one. Raises Problem."""
    status, started = Api(address, None, patience).form(
        DEVICE, [("client_id", client), ("scope", "0-0-0-0-0 offline_access")]
    )
    if status != 200 or not isinstance(started, dict):
        described = (started if isinstance(started, dict) else {}).get("error_description")
        raise Problem(
            f"{described or f'The server answered with {status}.'} Logging in this way needs a public service "
            f"{client!r} with the grant type device_code; an administrator registers it once."
        )
    output.say(f"Open {started['verification_uri']} and type {started['user_code']}")
    output.say(f"or open {started['verification_uri_complete']}")
    fields = [("grant_type", DEVICE_CODE), ("device_code", started["device_code"]), ("client_id", client)]
    with output.during("Waiting until it is approved"):
        return _approved(address, client, fields, started, patience)


def _approved(
    address: str, client: str, fields: list[tuple[str, str]], started: dict[str, Any], patience: Patience
) -> logins.Login:
    ends, interval = time.monotonic() + started["expires_in"], max(LEAST_INTERVAL, started.get("interval", 5))
    while time.monotonic() < ends:
        patience.pause(interval)
        try:
            status, answer = Api(address, None, patience.with_at_least(POLL_SECONDS)).form(TOKEN, fields)
        except AnswerLost:  # RFC 8628 section 3.5: ask less often
            interval *= 2
            continue
        told = answer if isinstance(answer, dict) else {}
        if status == 200 and "access_token" in told:
            return logins.from_answer(told, client)
        if told.get("error") == "slow_down" or status == 429 or status >= 500:
            interval += 5
        elif told.get("error") != "authorization_pending":
            raise Problem("It was not approved.", ExitCode.NOT_LOGGED_IN)
    raise Problem("Nobody approved it in time.", ExitCode.NOT_LOGGED_IN)


@click.command()
@click.pass_obj
def logout(session: Session) -> None:
    """Log out. A token that was used to log in stays valid."""
    address = session.known_address()
    known = logins.forget(address)
    session.output.say(f"Logged out of {address}." if known else f"Nobody was logged in at {address}.")


@click.command()
@click.option("--account", required=True, help="The bot, by login or id.")
@click.option("--scope", help="Services, separated by spaces; default: all of the trust rule.")
@click.option(
    "--source",
    type=click.Choice(identity.NAMES),
    default=identity.AUTO,
    show_default=True,
    envvar=identity.SOURCE_VARIABLE,
    help="Where the identity token comes from. auto: what an option names, else KEYTURN_ID_TOKEN, "
    "KEYTURN_ID_TOKEN_FILE, GitHub Actions, Kubernetes, AWS, whichever is there first. [env: KEYTURN_IDENTITY_SOURCE]",
)
@click.option(
    "--audience",
    envvar=identity.AUDIENCE_VARIABLE,
    help="Audience of the identity token; default: the address. [env: KEYTURN_AUDIENCE]",
)
@click.option(
    "--assertion-file", type=click.Path(path_type=Path, dir_okay=False), help="A file with the identity token."
)
@click.option("--assertion-variable", metavar="NAME", help="An environment variable with the identity token.")
@click.pass_obj
def federate(
    session: Session,
    account: str,
    scope: str | None,
    source: str,
    audience: str | None,
    assertion_file: Path | None,
    assertion_variable: str | None,
) -> None:
    """Exchange the pipeline's identity token for an access token, and print it."""
    address = session.known_address()
    named = identity.Source(source, audience or address, assertion_file, assertion_variable)
    answer = federation.Federation(address, account, named, scope).trade(session.patience)
    session.output.secret(answer, answer["access_token"])
