"""Load on one address for some seconds, and what it cost its server."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.node import NODE

TIMEOUT_SECONDS = 60
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Question:
    """A request that verifies one token, and a text that is in the answer if it is good."""

    url: str
    good: str
    method: str = "GET"
    headers: tuple[str, ...] = ()  # `name: value`
    body: str = ""


@dataclass(frozen=True)
class Figures:
    """Of one load: answers per second, latency p50 and p99 in ms, and CPU time per answer in ms."""

    rate: float
    median: float
    slow: float  # 99 of 100 are faster
    server: float
    database: float


def load(
    question: Question, connections: int, seconds: float, clients: Path, server: int, database: Iterable[int]
) -> Figures:
    """Ask again and again on so many connections. `server` and `database` are the sessions of their processes,
    `clients` the folder with autocannon. Raises RuntimeError if an answer was anything but a success."""
    before, stored = _cpu({server}), _cpu(set(database))
    told = json.loads(_autocannon(question, connections, seconds, clients))
    spent, stored = _cpu({server}) - before, _cpu(set(database)) - stored
    _wait_until_idle(server)  # what nobody waits for any more is not the next one's burden
    answers = told["2xx"]
    if told["non2xx"] or told["timeouts"] or not answers:
        raise RuntimeError(f"{question.url}: {told['non2xx']} refusals, {told['timeouts']} without an answer.")
    return Figures(
        rate=answers / told["duration"],
        median=told["latency"]["p50"],
        slow=told["latency"]["p99"],
        server=spent / answers * 1_000,
        database=stored / answers * 1_000,
    )


def _wait_until_idle(server: int) -> None:
    while True:
        before = _cpu({server})
        time.sleep(0.5)
        if _cpu({server}) - before < 0.1:
            return


def _autocannon(question: Question, connections: int, seconds: float, clients: Path) -> str:
    program = clients / "node_modules" / "autocannon" / "autocannon.js"
    command = [str(NODE), str(program), "--json", "--no-progress", "-c", str(connections), "-d", str(seconds)]
    command += ["-t", str(TIMEOUT_SECONDS)]
    command += ["-m", question.method, *(part for header in question.headers for part in ("-H", header))]
    command += ["-b", question.body] if question.body else []
    return subprocess.run([*command, question.url], check=True, capture_output=True, text=True).stdout


def _cpu(sessions: set[int]) -> float:
    """Processor seconds of all living processes of these sessions."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[3]) in sessions:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS
