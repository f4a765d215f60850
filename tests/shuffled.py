"""The gate again and again in random order while something else keeps the processors busy: nothing in it may depend on
what runs beside it. `python -m tests.shuffled RUNS`; with SEED=… the first run has this order.

Files are shuffled, and the functions in them, whatever class they are in; the cases of one function stay together.
What a module's tests share is then made anew for many of them, as it may be. There are always four workers.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

WORKERS = 4
ORDER = "KEYTURN_TEST_ORDER"  # the seed of one run's order; all workers have to come to the same one
BUSY = "while True: pass"


@pytest.hookimpl(trylast=True)  # after whoever sorts them
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """As a plugin: shuffle files, and the functions of each."""
    dice = random.Random(os.environ[ORDER])
    files: dict[Path, dict[str, list[pytest.Item]]] = defaultdict(lambda: defaultdict(list))
    for item in items:
        files[item.path][item.nodeid.partition("[")[0]].append(item)
    shuffled = list(files.values())
    dice.shuffle(shuffled)
    items.clear()
    for tests in shuffled:
        groups = list(tests.values())
        dice.shuffle(groups)
        items += [item for group in groups for item in group]


def main() -> int:
    """The exit code."""
    failed = 0
    first = int(os.environ.get("SEED", random.randrange(10**6)))
    for number in range(int(sys.argv[1])):
        environment = {**os.environ, ORDER: str(first + number)}
        others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(os.cpu_count() or 1)]
        begun = time.monotonic()
        words = ["-p", "tests.shuffled", "-n", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder"]
        try:
            ran = subprocess.run([sys.executable, "-m", "pytest", *words], env=environment, check=False)
        finally:
            for other in others:
                other.kill()
                other.wait()
        failed += ran.returncode != 0
        print(f"SEED={first + number}: exit code {ran.returncode}, {time.monotonic() - begun:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
