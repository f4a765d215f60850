"""Where things are, relative to the project: nothing is kept outside it."""

import os
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("KEYTURN_STATE") or PROJECT / ".keyturn")
DYNAMODB_LOCAL = PROJECT / ".keyturn" / "dynamodb-local"
BIN = Path(sys.executable).parent
HOST = "127.0.0.1"
