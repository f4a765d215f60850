"""What goes wrong between an app and DynamoDB, at random."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from tests.cutting import Listener, message

SLOW_SECONDS = 0.3
SILENT_SECONDS = 3.5  # longer than the app waits for an answer
TYPE = "com.amazonaws.dynamodb.v20120810#"


class Fault(Enum):
    """What becomes of a request."""

    THROTTLED = "refused: too many"
    FAILED = "refused: the service's own mistake"
    CUT_BEFORE = "the connection ends before the request arrives"
    CUT_AFTER = "the connection ends when the request was carried out"
    SILENT_BEFORE = "no answer in time, and nothing happened"
    SILENT_AFTER = "no answer in time, though it was carried out"
    SLOW = "a late answer"


# Of a thousand faults; those that take long are rare, or there would be no load.
OFTEN = {
    Fault.THROTTLED: 250,
    Fault.FAILED: 200,
    Fault.CUT_BEFORE: 150,
    Fault.CUT_AFTER: 150,
    Fault.SILENT_BEFORE: 15,
    Fault.SILENT_AFTER: 15,
    Fault.SLOW: 220,
}
REFUSALS = {
    Fault.THROTTLED: (400, "ProvisionedThroughputExceededException"),
    Fault.FAILED: (500, "InternalServerError"),
}


@dataclass
class FaultyLine(Listener):
    """Passes requests on to `target`; of so many of a hundred something becomes that should not."""

    target: str
    percent: int
    random: random.Random
    happened: Counter[Fault] = field(default_factory=Counter)
    passed: int = 0

    def serve(self, client: socket.socket) -> None:
        parts = urlsplit(self.target)
        with contextlib.suppress(OSError), client:
            server = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30)
            with server:
                while request := message(client):
                    fault = self._next()
                    if fault in REFUSALS:
                        client.sendall(_refusal(*REFUSALS[fault]))
                        continue
                    if fault in (Fault.CUT_BEFORE, Fault.SILENT_BEFORE):
                        time.sleep(SILENT_SECONDS if fault is Fault.SILENT_BEFORE else 0)
                        return
                    server.sendall(request)
                    answer = message(server)
                    if fault in (Fault.CUT_AFTER, Fault.SILENT_AFTER):
                        time.sleep(SILENT_SECONDS if fault is Fault.SILENT_AFTER else 0)
                        return
                    time.sleep(SLOW_SECONDS if fault is Fault.SLOW else 0)
                    client.sendall(answer)

    def _next(self) -> Fault | None:
        with self._lock:
            if self.random.randrange(100) >= self.percent:
                self.passed += 1
                return None
            (fault,) = self.random.choices(list(OFTEN), list(OFTEN.values()))
            self.happened[fault] += 1
            return fault


def _refusal(status: int, kind: str) -> bytes:
    body = json.dumps({"__type": TYPE + kind, "message": "injected"}).encode()
    head = f"HTTP/1.1 {status} Refused\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body
