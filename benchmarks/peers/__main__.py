"""Verification beside the peers': throughput, latency and CPU time.

    python -m benchmarks.peers [SECONDS]

First come the ratios of `benchmarks.verify` and the size of the package. Then each contender is asked over HTTP on 1, 8
and 32 connections, SECONDS (default 4) at a time, in three rounds, so that a slow minute of the machine meets all.
Servers have one core of their own; clients, and Keyturn's database, which on AWS is not its own either, have another.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import requests
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks import verify
from benchmarks.peers.contenders import CONTENDERS, HERE, OTHERS_CORE, Contender
from benchmarks.peers.load import Figures, Question, load
from deployment.packaging import package
from tests import node

CONNECTIONS = (1, 8, 32)
ROUNDS = 3
WARM_UP_SECONDS = 2.0
MOST_MEGABYTES = 50  # zipped, as an upload


def main() -> None:
    """Measure and print."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    console = Console(width=150)
    verify.main()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        size = package("prod", Path(folder, "out")).archive.stat().st_size / 1e6
        console.print(f"The package has {size:.1f} MB; Lambda takes {MOST_MEGABYTES}.")
        os.sched_setaffinity(0, {OTHERS_CORE})
        contenders = [each for start in CONTENDERS for each in stack.enter_context(start(Path(folder)))]
        found = _measured(contenders, seconds)
        for each in contenders:
            _is_good(each.question)
    for connections in CONNECTIONS:
        console.print(_table(found, connections))


def _measured(contenders: list[Contender], seconds: float) -> dict[int, dict[str, Figures]]:
    clients = node.installed(HERE / "javascript")
    for each in contenders:
        _is_good(each.question)
        _asked(each, max(CONNECTIONS), WARM_UP_SECONDS, clients)
    runs: dict[tuple[int, str], list[Figures]] = defaultdict(list)
    plan = [(each, connections) for _ in range(ROUNDS) for each in contenders for connections in CONNECTIONS]
    for each, connections in track(plan, "Asking …"):
        runs[connections, each.name].append(_asked(each, connections, seconds, clients))
    return {
        connections: {each.name: _median(runs[connections, each.name]) for each in contenders}
        for connections in CONNECTIONS
    }


def _asked(contender: Contender, connections: int, seconds: float, clients: Path) -> Figures:
    seconds = max(seconds, contender.least_seconds)
    return load(contender.question, connections, seconds, clients, contender.server, contender.database)


def _is_good(question: Question) -> None:
    headers = dict(header.split(": ", 1) for header in question.headers)
    answer = requests.request(question.method, question.url, headers=headers, data=question.body, timeout=30)
    assert question.good in answer.text, (question.url, answer.status_code)


def _median(runs: list[Figures]) -> Figures:
    fields = Figures.__dataclass_fields__
    return Figures(**{name: statistics.median(getattr(run, name) for run in runs) for name in fields})


def _table(found: dict[int, dict[str, Figures]], connections: int) -> Table:
    """Ratios above 1 say that Keyturn is ahead."""
    columns = ("answers/s", "p50 (ms)", "p99 (ms)", "CPU (ms)", "database CPU (ms)", "ratio", "with database")
    table = Table(f"{connections} connections", *columns)
    ours = found[connections]["Keyturn"]
    for name, each in found[connections].items():
        table.add_row(
            name,
            f"{each.rate:,.0f}",
            f"{each.median:g}",
            f"{each.slow:g}",
            f"{each.server:.2f}",
            f"{each.database:.2f}" if each.database else "in it",
            f"{each.server / ours.server:.2f}×",
            f"{(each.server + each.database) / (ours.server + ours.database):.2f}×",
        )
    return table


if __name__ == "__main__":
    main()
