"""What the commands that renew a secret share: `token rotate`, `service renew-secret`, `webhook renew-secret`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from keyturn_cli import checks, renewal
from keyturn_cli.errors import Problem
from keyturn_cli.files import read_secret
from keyturn_cli.handing import hand_over_renewed
from keyturn_cli.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyturn_cli.place import Place

DEFAULT_GRACE = "24h"  # whoever forgets it has a day to bring the new secret everywhere


def options(what: str) -> Callable[[Any], Any]:
    """The options of a command that renews a secret of `what`."""
    found = [
        click.option(
            "--grace",
            type=checks.GRACE,
            default=DEFAULT_GRACE,
            show_default=True,
            help="How long the previous secret stays valid; 0: it ends immediately.",
        ),
        click.option(
            "--write", type=checks.FILE, help=f"The file with the secret of the {what}; it is replaced there."
        ),
        click.option(
            "--force",
            is_flag=True,
            expose_value=False,
            callback=_forced,
            help=checks.FORCE_HELP,
        ),
        click.option(
            "--exec",
            "command",
            type=checks.Command(),
            metavar="CMD",
            help="Give the new secret to this command, on its standard input.",
        ),
    ]

    def wrap(function: Any) -> Any:
        for option in reversed(found):
            function = option(function)
        return function

    return wrap


def _forced(context: click.Context, option: click.Parameter, value: bool) -> None:
    session = context.find_object(Session)
    assert session
    session.force = value


def renew(session: Session, kept: renewal.Kept, grace: int, where: Place, field: str = "secret") -> renewal.Renewed:
    """Renew it, and hand it over: what is in the file is held only if it is a secret of this thing. `grace` in seconds;
    `field` is what the secret is called in JSON. Raises Problem."""
    content = read_secret(where.file) if where.file else None
    if content and not kept.owns(content) and not session.force:
        raise Problem(f"{where.file} holds something else than a secret of {kept.named}. To replace it, say --force.")
    held = where.held if where.held and kept.owns(where.held) else None
    where = replace(where, held=held).waiting_for("renew", session.known_address(), kept.identity)
    with session.output.during("Renewing"):
        renewed = renewal.renew(kept, grace, where, session.patience, session.output.as_json)
    hand_over_renewed(session.output, renewed, where, field)
    return renewed
