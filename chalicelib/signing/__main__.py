"""The command that makes and rotates the keys that sign access tokens.

    python -m chalicelib.signing ensure      the first key, if there is none
    python -m chalicelib.signing rotate      another key, which signs in an hour, when every service knows it

It works where KEYTURN_SIGNING_KEYS_FILE or KEYTURN_SIGNING_KEYS_PARAMETER says. Run it by one at a time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from datetime import UTC, datetime

from chalicelib.core.oauth.signing_keys import Algorithm
from chalicelib.settings import Settings, SettingsError
from chalicelib.signing.documents import key_document
from chalicelib.signing.keys import add_key, load


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0, or 1 with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m chalicelib.signing", description=__doc__)
    parser.add_argument("command", choices=("ensure", "rotate"))
    parser.add_argument("--algorithm", choices=[each.value for each in Algorithm], default=Algorithm.ES256.value)
    options = parser.parse_args(arguments)
    try:
        document = key_document(Settings.from_environment(os.environ))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return 1
    if document is None:
        print("Set KEYTURN_SIGNING_KEYS_FILE or KEYTURN_SIGNING_KEYS_PARAMETER.", file=sys.stderr)
        return 1
    if options.command == "ensure" and load(document):
        print("There is a key already.")
        return 0
    key = add_key(document, Algorithm(options.algorithm), time.time_ns() // 1_000_000)
    begins = datetime.fromtimestamp(key.signs_from / 1000, UTC).isoformat(timespec="seconds")
    print(f"The key {key.id} ({key.algorithm.value}) is published now and signs from {begins}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
