"""One line of JSON for each request: what was asked, by whom, how it ended, how long it took. No secret is ever in it.

CloudWatch takes its metrics from the same lines. Source: the CloudWatch user guide, "Specification: Embedded metric
format". A library for this costs a cold start more than the rest of Keyturn's own code
(docs/explanation/adr/0022-telemetry.md).
"""

from __future__ import annotations

import json
import os
import time
from contextvars import ContextVar
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalice.app import Request, Response

NAMESPACE = "Keyturn"
MILLISECONDS = "Milliseconds"
# What becomes a metric, and its unit; each name is in `.chalice/resources.json`.
METRICS = {
    "RequestTime": MILLISECONDS,
    "VerificationTime": MILLISECONDS,
    "Verifications": "Count",
    "RefusedVerifications": "Count",
    "Unauthenticated": "Count",
    "Throttled": "Count",
    "Unavailable": "Count",
    "Failures": "Count",
    "ColdStarts": "Count",
}
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})  # others could be anything
_COUNTED = {
    HTTPStatus.UNAUTHORIZED: "Unauthenticated",
    HTTPStatus.TOO_MANY_REQUESTS: "Throttled",
    HTTPStatus.SERVICE_UNAVAILABLE: "Unavailable",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Failures",
}
OBSERVERS: list[Callable[[Mapping[str, object]], None]] = []  # who else learns of each line; nobody on Lambda
_fields: ContextVar[dict[str, object]] = ContextVar("fields")
_cold = True


def log_fields(**fields: object) -> None:
    """Add fields to the log line of the request that is answered: ids of accounts, services and tokens, counts. Never a
    secret."""
    _fields.get({}).update(fields)


def write_line(line: dict[str, object]) -> None:
    """Write a line, and have CloudWatch take from it the metrics that are there."""
    for observe in OBSERVERS:
        observe(line)
    metrics = [{"Name": name, "Unit": METRICS[name]} for name in line if name in METRICS]
    now = time.time_ns() // 1_000_000
    if metrics:
        directive = {"Namespace": NAMESPACE, "Dimensions": [["Installation"]], "Metrics": metrics}
        installation = os.environ.get("KEYTURN_TABLE", "keyturn")
        line |= {"Installation": installation, "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]}}
    text = json.dumps({"time": now, **line}, separators=(",", ":"))
    print(f"{text}\n", end="", flush=True)  # at once: other threads have lines too


def log_request(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """The middleware that tells of every request; it stands before everything else that looks at answers."""
    global _cold
    begin = time.perf_counter()
    fields: dict[str, object] = {"ColdStarts": 1} if _cold else {}
    _cold = False
    _fields.set(fields)
    response = get_response(request)
    taken = round((time.perf_counter() - begin) * 1_000, 2)
    write_line(line_of(request.context, request.method, response.status_code, taken, fields))
    return response


def line_of(
    context: Mapping[str, Any], method: str, status: int, taken: float, fields: Mapping[str, object]
) -> dict[str, object]:
    """What is told of a request; `context` as API Gateway makes it, `taken` in milliseconds."""
    line: dict[str, object] = {
        "request": context.get("requestId"),
        "method": method if method in METHODS else "other",
        "route": context.get("resourcePath"),  # with the names of its parameters, not what somebody put there
        "status": status,
        "address": context.get("identity", {}).get("sourceIp"),
        "RequestTime": taken,
        **fields,
    }
    if "Verifications" in fields or "RefusedVerifications" in fields:
        line["VerificationTime"] = taken
    if status in _COUNTED:
        line[_COUNTED[HTTPStatus(status)]] = 1
    return line
