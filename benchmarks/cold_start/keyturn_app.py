"""A new process answers its first verification: the event is on standard input."""

import json
import sys

from app import app

print(app(json.load(sys.stdin), None)["body"], flush=True)
