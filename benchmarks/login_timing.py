"""Can anybody tell by time whether a login exists? Wrong passwords for one that does, and one that does not.

    python -m benchmarks.login_timing

Both are tried in turn, many times, through the Lambda handler. The share of pairs in which the unknown login
took longer is 0.5 if they cannot be told apart (that share is the Mann-Whitney statistic; p is how likely a
share so far from 0.5 is by chance). As a control, one series is made slower: that must be noticed.
"""

import json
import math
import statistics
import tempfile
import time
from unittest.mock import patch

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.installation import Installation, answered, fresh_database, install
from chalicelib.core.access.account import AccountType
from chalicelib.core.common.origin import Origin

ATTEMPTS, WARM_UP = 400, 20
HOUR_MS = 3_600_000  # between attempts, so that none is throttled
CONTROL_SECONDS = 0.001
SIGNIFICANT = 0.001


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, fresh_database(folder) as database:
        installation = install(database)
        origin = Origin(time.time_ns() // 1_000_000, "127.0.0.1")
        caller = installation.keyturn.authentication.caller(installation.administrator.secret or "", origin)
        installation.keyturn.accounts.create(caller, "exists", "Exists", AccountType.USER)
        installation.keyturn.passwords.set(caller, "exists", "correct horse battery staple", None)
        known, unknown = _series(installation, origin)
    table = Table("compared", "median ms", "median ms", "share longer", "p", "told apart")
    table.add_row("wrong password, unknown login", *_row(known, unknown))
    slower = [seconds + CONTROL_SECONDS for seconds in unknown]
    table.add_row(f"control: {CONTROL_SECONDS * 1000:g} ms slower", *_row(known, slower))
    Console(width=120).print(table)


def _series(installation: Installation, origin: Origin) -> tuple[list[float], list[float]]:
    taken: dict[str, list[float]] = {"exists": [], "nobody": []}
    for number in track(range(ATTEMPTS + WARM_UP), "Trying to log in"):
        later = (origin.now + number * HOUR_MS) * 1_000_000
        for login in sorted(taken, reverse=bool(number % 2)):  # neither is always the first
            event = installation.event("/api/rest/login", json.dumps({"login": login, "password": f"wrong {number}"}))
            with patch("time.time_ns", return_value=later):
                began = time.perf_counter()
                answer = answered(event)
                taken[login].append(time.perf_counter() - began)
            assert answer["statusCode"] == 401, answer
    return taken["exists"][WARM_UP:], taken["nobody"][WARM_UP:]


def _row(first: list[float], second: list[float]) -> list[str]:
    share, p = mann_whitney(first, second)
    medians = [f"{statistics.median(series) * 1000:.2f}" for series in (first, second)]
    return [*medians, f"{share:.3f}", f"{p:.3g}", "yes" if p < SIGNIFICANT else "no"]


def mann_whitney(first: list[float], second: list[float]) -> tuple[float, float]:
    """How often a value of `second` is the larger, and how likely that is by chance (normal approximation)."""
    ranked = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    rank_sum = sum(rank for rank, (_, series) in enumerate(ranked, 1) if series)
    n, m = len(first), len(second)
    larger = rank_sum - m * (m + 1) / 2
    deviation = math.sqrt(n * m * (n + m + 1) / 12)
    p = 2 * statistics.NormalDist().cdf(-abs(larger - n * m / 2) / deviation)
    return larger / (n * m), p


if __name__ == "__main__":
    main()
