"""What a million of each operation costs on AWS: units that were measured, times public prices.

    python -m benchmarks.costs

Prices are those of us-east-1 as they were known in November 2026, on demand, without any free tier, in dollars. Written
items count at the most that they can: two units as a part of a transaction, and one for each of the two indexes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from embedded.layout import PROJECT

READ_UNITS, WRITE_UNITS = 0.125, 0.625  # a million request units of DynamoDB
API_REQUESTS = 3.50  # a million requests of a REST API
LAMBDA_REQUESTS, GIGABYTE_SECONDS = 0.20, 16.6667  # a million of each
LOGS = 0.50  # a gigabyte taken in
MEMORY_GIGABYTES = 1769 / 1024  # one processor
ROUND_TRIP_SECONDS, WORK_SECONDS = 0.005, 0.003  # assumed: to DynamoDB and back; the function's own, besides Argon2id
ARGON2_SECONDS = 0.020  # for each secret that is made
LINE_BYTES = 700
UNITS_FOR_AN_ITEM = 4

OPERATIONS = {
    "introspect a token": 0,
    "introspect a token, with a record of its use": 0,
    "introspect an access token": 0,
    "exchange an access token": 0,
    "create a token": 1,
    "rotate a token": 1,
    "delete a token": 0,
    "list an account's tokens (1)": 0,
    "log in from a known network": 1,
}
AUTHENTICATED = {"create a token", "rotate a token", "delete a token", "list an account's tokens (1)"}
CALLER = "authenticate a caller of the API"


@dataclass(frozen=True)
class Measured:
    """Of one operation: a row of the table in docs/reference/capacity.md, which a test holds."""

    round_trips: int
    read_units: float
    items: int

    def __add__(self, other: Measured) -> Measured:
        return Measured(
            self.round_trips + other.round_trips, self.read_units + other.read_units, self.items + other.items
        )


def measured() -> dict[str, Measured]:
    """Every operation that was measured, by name."""
    text = (PROJECT / "docs" / "reference" / "capacity.md").read_text()
    rows = re.findall(r"^\| (.+?) \| (\d+) \| ([\d.]+) \| (\d+) \|$", text, re.MULTILINE)
    return {name: Measured(int(trips), float(reads), int(items)) for name, trips, reads, items in rows}


def table() -> list[str]:
    """The rows of the table in docs/reference/costs.md."""
    known = measured()
    rows = ["| operation | API Gateway | Lambda | DynamoDB | logs | total |", "|---|---|---|---|---|---|"]
    for name, secrets in OPERATIONS.items():
        cost = known[name] + known[CALLER] if name in AUTHENTICATED else known[name]
        seconds = cost.round_trips * ROUND_TRIP_SECONDS + WORK_SECONDS + secrets * ARGON2_SECONDS
        functions = LAMBDA_REQUESTS + seconds * MEMORY_GIGABYTES * GIGABYTE_SECONDS
        units = cost.read_units * READ_UNITS + cost.items * UNITS_FOR_AN_ITEM * WRITE_UNITS
        logs = LINE_BYTES / 1_000 * LOGS
        parts = (API_REQUESTS, functions, units, logs)
        rows.append(f"| {name} | {' | '.join(f'{part:.2f}' for part in (*parts, sum(parts)))} |")
    return rows


if __name__ == "__main__":
    print("\n".join(table()))
