"""What noting a token's last use costs: writes for each million verifications, and time for each one.

    python -m benchmarks.last_used

The writes are counted over a million real checks, each at a moment of its own, with the database's two calls replaced
by memory: what one process notes then depends on the clock alone. The times are those of the real handler on the real
database, with the noting and without it, in turn.
"""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from dataclasses import replace
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from benchmarks.installation import Installation, fresh_database, install
from benchmarks.verify import handler, seconds
from chalicelib.core.common.origin import UsageContext
from chalicelib.core.tokens.token import PermanentToken
from chalicelib.core.verification.last_use import LAST_USED_WINDOW_MS, LastUses
from chalicelib.core.verification.ports import Credential

VERIFICATIONS = 1_000_000
ROUNDS = 2_000


class Memory:
    """Stores the one thing that is noted, for several processes together."""

    def __init__(self, token: PermanentToken, number: int) -> None:
        self.tokens = [replace(token, id=f"token{each}", last_used=None) for each in range(number)]
        self.writes = 0

    def mark_used(self, credential: Credential, usage: UsageContext, services: object = ()) -> None:
        number = int(credential.id.removeprefix("token"))
        self.tokens[number] = replace(self.tokens[number], last_used=usage.now)
        self.writes += 1


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database:
        installation = install(database)
        console = Console(width=110)
        table = Table("tokens", "verifications per second, in total", "processes", "one takes", "writes for a million")
        for tokens, rate, processes in ((1, 300, 1), (1, 300, 8), (100, 300, 4), (1_000, 300, 4), (1_000, 10, 4)):
            table.add_row(*_writes(installation.token.token, tokens, rate, processes))
        console.print(table)
        console.print(_latency(installation))


def _writes(token: PermanentToken, tokens: int, rate: int, processes: int) -> list[str]:
    memory = Memory(token, tokens)
    uses = [LastUses(memory, LAST_USED_WINDOW_MS) for _ in range(processes)]  # type: ignore[arg-type]
    begin = 1_800_000_000_000
    turns = zip(itertools.cycle(range(tokens)), itertools.cycle(uses), strict=False)
    for number, (which, process) in enumerate(itertools.islice(turns, VERIFICATIONS)):
        process.record_use(memory.tokens[which], [], UsageContext(begin + number * 1_000 // rate))
    hours = VERIFICATIONS / rate / 3_600
    return [f"{tokens:,}", str(rate), str(processes), f"{hours:.1f} h", f"{memory.writes:,}"]


def _latency(installation: Installation) -> str:
    ask = handler(installation, installation.token.secret or "")
    for _ in range(200):
        ask()
    noting, silent, writing = [], [], []
    for _ in range(ROUNDS):
        noting.append(seconds(ask))
        with patch.object(LastUses, "record_use", _nothing):
            silent.append(seconds(ask))
    for number in range(200):
        later = time.time_ns() + (number + 1) * 2 * LAST_USED_WINDOW_MS * 1_000_000
        with patch("time.time_ns", lambda later=later: later):
            writing.append(seconds(ask))
    with_it, without, write = (statistics.median(each) * 1_000 for each in (noting, silent, writing))
    return (
        f"One verification: {with_it:.2f} ms with the noting, {without:.2f} ms without it "
        f"({with_it / without:.3f}x); the one of a window that writes, {write:.2f} ms."
    )


def _nothing(*_: object) -> None:
    """In place of the noting."""


if __name__ == "__main__":
    main()
