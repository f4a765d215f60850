"""The command that begins an installation: a table, the built-in roles, and an administrator's token or password.

    python -m chalicelib.bootstrap --login admin
    python -m chalicelib.bootstrap --login admin --password

It works on the database directly, with the settings that the environment holds, and is the only way
in while there is no administrator, and for one who can no longer log in. The token or the password is printed once,
alone, on standard output.
"""

from __future__ import annotations

import argparse
import sys
import time

from chalicelib.composition.keyturn import keyturn
from chalicelib.core.common.errors import Refusal
from chalicelib.core.common.origin import Origin
from chalicelib.settings import SettingsError
from chalicelib.storage.engine.table import create_table


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m chalicelib.bootstrap", description=__doc__)
    parser.add_argument("--login", default="admin", help="login of the administrator, who is created if missing")
    parser.add_argument(
        "--create-table", action="store_true", help="create the table, unless a template has created it"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--password", action="store_true", help="create a password in place of a token")
    instead.add_argument("--first-password", action="store_true", help="create a password, unless there is one")
    options = parser.parse_args(arguments)
    try:
        product = keyturn()
        if options.create_table:
            create_table()
        origin = Origin(time.time_ns() // 1_000_000, "operator")
        if options.password or options.first_password:
            what, secret = (
                "password",
                product.first_administrator.set_password(options.login, origin, only_first=options.first_password),
            )
        else:
            what, secret = "token", product.first_administrator.issue(options.login, origin).secret
    except (Refusal, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    if secret is None:
        print(f"{options.login} has a password already.", file=sys.stderr)
        return 0
    print(f"{options.login} has a new {what}, shown only now:", file=sys.stderr)
    print(secret)
    return 0


if __name__ == "__main__":
    sys.exit(main())
