"""What operations cost, and how long they take, among 1,000 and among 100,000 tokens; and arithmetic for 10,000,000.

    python -m benchmarks.scale [SMALL LARGE]

Latencies are those of DynamoDB Local on one file: that they do not grow is the finding, not how large they are.
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.capacity import measured
from benchmarks.installation import Installation, fresh_database, install
from benchmarks.search import fill
from chalicelib.core.access.account import AccountType
from chalicelib.core.common.origin import Origin
from chalicelib.core.common.paging import Window
from chalicelib.storage.engine.table import Item, connection

ROUNDS, SLOW_ROUNDS = 300, 30
TOKENS_OF_AN_ACCOUNT = 10
PARTITION_BYTES = 10 * 2**30  # what one partition of DynamoDB holds at most
ITEM_OVERHEAD = 100  # bytes that DynamoDB bills for each item in a table or an index
ENTRY_SHARE = 0.4  # of an item is in its index
MOST_TOKENS = 10_000_000


@dataclass(frozen=True)
class Found:
    """Of one operation: the median time in ms, round trips, read units, items written."""

    ms: float
    trips: int
    read: float
    written: int


def main() -> None:
    """Measure and print."""
    sizes = [int(each) for each in sys.argv[1:3]] if len(sys.argv) > 2 else [1_000, 100_000]
    found = {size: _measure(size) for size in sizes}
    table = Table("operation", *(f"{size:,} tokens" for size in sizes))
    for operation in found[sizes[0]]:
        table.add_row(operation, *(_shown(found[size][operation]) for size in sizes))
    console = Console(width=140)
    console.print(table)
    console.print("Each: median ms; round trips; read units; items written.")
    console.print(_arithmetic())


def _measure(tokens: int) -> dict[str, Found]:
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database:
        installation = install(database)
        fill(installation, tokens // TOKENS_OF_AN_ACCOUNT, tokens)
        return {name: _timed(operation, rounds) for name, (operation, rounds) in _operations(installation).items()}


def _arithmetic() -> str:
    """Sizes of one account, one token and what they leave behind, and what ten million tokens come to."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database:
        installation = install(database)
        product, origin = installation.keyturn, Origin(time.time_ns() // 1_000_000, "127.0.0.1")
        caller = product.authentication.caller(installation.administrator.secret or "", origin)
        before = _bytes()
        product.accounts.create(caller, "sized", "A bot of usual size", AccountType.BOT)
        account = _bytes() - before
        product.permanent_tokens.create(caller, "sized", "nightly build", ["ci"])
        token = _bytes() - before - account
    whole = MOST_TOKENS // TOKENS_OF_AN_ACCOUNT * account + MOST_TOKENS * token
    return (
        f"An account: {account:,.0f} bytes, a token: {token:,.0f} bytes, with names, index entries and audit record. "
        f"{MOST_TOKENS:,} tokens of {MOST_TOKENS // TOKENS_OF_AN_ACCOUNT:,} accounts: {whole / 2**30:.1f} GB in "
        f"{math.ceil(whole / PARTITION_BYTES)} partitions or more."
    )


def _bytes() -> int:
    """What is in the table and its indexes, as DynamoDB counts it: names and values, and an overhead for each item."""
    client = connection().client
    items = client.scan(TableName=Item.Meta.table_name)["Items"]
    return sum(_size(item) * (1 + _entries(item)) for item in items)


def _size(item: dict[str, Any]) -> int:
    return ITEM_OVERHEAD + len(json.dumps(item, default=lambda value: base64.b64encode(value).decode()))


def _entries(item: dict[str, Any]) -> float:
    """In how many indexes it is; an entry has keys and `kind` only."""
    return sum(name in item for name in ("collection", "target")) * ENTRY_SHARE


def _operations(installation: Installation) -> dict[str, tuple[Callable[[], object], int]]:
    product, token = installation.keyturn, installation.token
    origin = Origin(time.time_ns() // 1_000_000, "127.0.0.1")
    caller = product.authentication.caller(installation.administrator.secret or "", origin)
    service, numbers, made = installation.service, itertools.count(), []

    def create() -> None:
        made.append(product.permanent_tokens.create(caller, "amber-000000", f"scale {next(numbers)}", ["ci"]).token)

    def ask() -> object:
        return product.introspection.introspect("ci", service.secret, token.secret or "", origin.now)

    return {
        "verify a token": (ask, ROUNDS),
        "authenticate a caller": (
            lambda: product.authentication.caller(installation.administrator.secret or "", origin),
            ROUNDS,
        ),
        "create a token": (create, SLOW_ROUNDS),
        "rotate a token": (
            lambda: product.rotation.rotate(caller, token.owner.id, token.token.id, 0),
            SLOW_ROUNDS,
        ),
        "delete a token": (
            lambda: product.permanent_tokens.delete(caller, "amber-000000", made.pop().id),
            SLOW_ROUNDS,
        ),
        "list an account's tokens (10)": (
            lambda: product.permanent_tokens.page(caller, "birch-000001", Window()),
            SLOW_ROUNDS,
        ),
        "list accounts (100)": (lambda: product.accounts.page(caller, Window(0, 100)), SLOW_ROUNDS),
    }


def _timed(operation: Callable[[], object], rounds: int) -> Found:
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        with measured() as cost:
            operation()
        times.append((time.perf_counter() - begin) * 1_000)
    return Found(statistics.median(times), cost.trips, cost.read, cost.written)


def _shown(found: Found) -> str:
    return f"{found.ms:.1f}; {found.trips}; {found.read:g}; {found.written}"


if __name__ == "__main__":
    main()
