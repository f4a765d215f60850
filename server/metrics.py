"""What Prometheus learns: requests, latencies, verifications, calls of the database. Labels are routes with the names
of their parameters, statuses and names of operations: nothing that anybody has sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Histogram

from chalicelib import telemetry
from chalicelib.storage.engine.table import batch_get_client, connection

if TYPE_CHECKING:
    from collections.abc import Mapping

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_READ = "BatchGetItem"

REQUESTS = Counter("keyturn_requests", "Requests, by route and class of status.", ("route", "status"))
LATENCY = Histogram("keyturn_request_seconds", "Time until an answer, by route.", ("route",), buckets=BUCKETS)
VERIFICATIONS = Counter("keyturn_verifications", "Tokens that services asked about, by verdict.", ("verdict",))
CALLS = Counter("keyturn_database_calls", "Calls of the database, by operation; each try counts.", ("operation",))
RETRIES = Counter("keyturn_database_retries", "Calls of the database that were tried again.", ("operation",))


def begin() -> None:
    """Count in this process from now on."""
    telemetry.OBSERVERS.append(_verification)
    batch_get_client().observer = _quick_read
    connection().client.meta.events.register("request-created.dynamodb", _call)


def observe(route: str | None, status: int, seconds: float) -> None:
    """An answer."""
    label = route or "none"
    REQUESTS.labels(label, f"{status // 100}xx").inc()
    LATENCY.labels(label).observe(seconds)


def _verification(line: Mapping[str, object]) -> None:
    if "Verifications" in line:
        VERIFICATIONS.labels("active").inc()
    elif "RefusedVerifications" in line:
        VERIFICATIONS.labels("inactive").inc()


def _quick_read(succeeded: bool) -> None:
    CALLS.labels(BATCH_READ).inc()
    if not succeeded:  # the general client is asked instead
        RETRIES.labels(BATCH_READ).inc()


def _call(request: Any, operation_name: str, **_: object) -> None:
    """botocore makes a request for each try."""
    CALLS.labels(operation_name).inc()
    if request.context.get("retries", {}).get("attempt", 1) > 1:
        RETRIES.labels(operation_name).inc()
