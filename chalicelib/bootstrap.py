"""The command that begins an installation: a table, the built-in roles, and an administrator's token.

    python -m chalicelib.bootstrap --login admin

It works on the database directly, with the settings that the environment holds, and is the only way
in while there is no administrator. The token is printed once, alone, on standard output.
"""

from __future__ import annotations

import argparse
import sys
import time

from chalicelib.composition import keyturn
from chalicelib.core.errors import Refusal
from chalicelib.core.origin import Origin
from chalicelib.settings import SettingsError
from chalicelib.storage.table import create_table


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m chalicelib.bootstrap", description=__doc__)
    parser.add_argument("--login", default="admin", help="of the administrator, who is created where missing")
    parser.add_argument("--create-table", action="store_true", help="create the table, if no template did")
    options = parser.parse_args(arguments)
    try:
        product = keyturn()
        if options.create_table:
            create_table()
        issued = product.first_administrator.issue(options.login, Origin(time.time_ns() // 1_000_000, "operator"))
    except (Refusal, SettingsError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{issued.owner.login} has a new token, shown only now:", file=sys.stderr)
    print(issued.secret)
    return 0


if __name__ == "__main__":
    sys.exit(main())
