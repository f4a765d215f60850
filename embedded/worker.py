"""What on AWS calls the two handlers that nobody asks for: after changes of the table, and every minute.

`python -m embedded.worker CHECKPOINT SECONDS` runs until its parent ends; SECONDS is the pause of the schedule.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from embedded.children import interruptions_held, start_beside
from embedded.layout import PROJECT
from embedded.stream import StreamReader

PAUSE_SECONDS = 0.3
SCHEDULE_SECONDS = 60.0
# As EventBridge's page "Scheduled events" has it.
SCHEDULED: dict[str, Any] = {
    "version": "0",
    "id": "0",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "1970-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}


# What Lambda gives the two handlers (`.chalice/config.json`): the second has the schedule's pause, and so much more.
TELL_SECONDS = 60.0
BEYOND_PAUSE_SECONDS = 15.0


class Context:
    """What Lambda hands to a handler beside the event, as far as one looks at it."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Until Lambda would end it."""
        return round((self._ends - time.monotonic()) * 1_000)


class Worker:
    """The process that does it. `folder` holds its checkpoint, `log` gets what it prints."""

    def __init__(self, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._checkpoint = folder / "stream.json"
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, schedule_seconds: float = SCHEDULE_SECONDS) -> None:
        """Run it beside us."""
        command = [sys.executable, "-m", "embedded.worker", str(self._checkpoint), str(schedule_seconds)]
        with interruptions_held():
            self._process = start_beside(command, self._environment, PROJECT, self._log)

    def stop(self) -> None:
        """End it. There is nothing to be polite about: it may be killed at any point."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


def main() -> int:
    """Runs until the parent ends; the exit code."""
    checkpoint, pause, parent = Path(sys.argv[1]), float(sys.argv[2]), os.getppid()
    import app  # with the settings of the environment

    table = os.environ.get("KEYTURN_TABLE", "keyturn")
    endpoint, region = os.environ["KEYTURN_DYNAMODB_ENDPOINT"], os.environ.get("AWS_REGION", "us-east-1")
    reader = StreamReader(table, endpoint, region, checkpoint)
    schedule = threading.Thread(target=_keep_to_schedule, args=(app, pause, parent), daemon=True)
    schedule.start()  # beside the stream: a function of its own
    while os.getppid() == parent:
        for shard, records in _safely(reader.batches) or ():
            if _safely(lambda records=records: app.tell_events(_event(records), Context(TELL_SECONDS)) or True):
                reader.handled(shard, records)
            else:
                reader.again(shard)
        time.sleep(PAUSE_SECONDS)
    return 0


def _keep_to_schedule(app: Any, pause: float, parent: int) -> None:
    while os.getppid() == parent:
        due = time.monotonic() + pause
        _safely(lambda: app.every_minute(SCHEDULED, Context(pause + BEYOND_PAUSE_SECONDS)))
        time.sleep(max(PAUSE_SECONDS, due - time.monotonic()))


def _safely(step: Any) -> Any:
    """What the step gives; None if it failed, which is tried again."""
    try:
        return step()
    except Exception as error:
        print(type(error).__name__, "".join(traceback.format_tb(error.__traceback__)[-2:]), file=sys.stderr)
        return None


def _event(records: list[dict[str, Any]]) -> dict[str, Any]:
    """The records as Lambda hands them over: as JSON."""
    return {"Records": [_plain(record) for record in records]}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.timestamp() if isinstance(value, datetime) else value


if __name__ == "__main__":
    sys.exit(main())
