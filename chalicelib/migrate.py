"""The command that brings a table that older versions have written into today's form.

    python -m chalicelib.migrate

It works on the database directly, with the settings that the environment holds, while Keyturn goes on. Run it after
each new version; where nothing is waiting, it reads one item.
"""

from __future__ import annotations

import os
import sys

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.core.common.errors import Unavailable
from chalicelib.settings import Settings, SettingsError
from chalicelib.storage.engine.table import connect
from chalicelib.storage.migrations import run, waiting

TOLD_EVERY = 10_000  # items


def main() -> int:
    """Exit code 0, or 1 with the reason on standard error."""
    try:
        connect(Settings.from_environment(os.environ).table)
        print(_migrated())
    except (SettingsError, Unavailable, PynamoDBException, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _migrated() -> str:
    migrations = waiting()
    for each in migrations:
        print(f"{each.number}: {each.what}", file=sys.stderr)
    changed = 0
    for seen, changes in enumerate(run(migrations) if migrations else (), start=1):
        changed += changes
        if seen % TOLD_EVERY == 0:
            print(f"{seen:,} items looked at, {changed:,} changed …", file=sys.stderr)
    return f"{changed} items were changed." if migrations else "Nothing is waiting."


if __name__ == "__main__":
    sys.exit(main())
