"""Where the time of a test run goes: `make test-profile` loads this plugin, prints its tables, and keeps them as JSON.

Two views that complement each other. Each worker measures its tests and fixtures: wall-clock time, and the CPU time of
the worker with all processes below it. The process that directs the workers looks at /proc five times a second and
tells which programs were started, and the CPU time of each; so it also sees what all workers share, such as the engine.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from embedded.layout import STATE

REPORT = STATE / "test-profile.json"
LOOK_SECONDS = 0.2
TICKS = os.sysconf("SC_CLK_TCK")
# What a command line holds, and how the program is called in the table; the first that matches.
PROGRAMS = (
    ("DynamoDBLocal.jar", "Java: DynamoDB Local"),
    ("chrom", "Chromium"),
    ("ansible-test", "ansible-test"),
    ("ansible-playbook", "ansible-playbook"),
    ("ansible", "other programs of Ansible"),
    ("chalice", "Chalice: packaging"),
    ("embedded.run", "make run"),
    ("embedded.", "Keyturn's server and worker"),
    ("-m server", "Keyturn's server and worker"),
    ("playwright", "node: Playwright"),
    ("node", "node: clients and providers"),
    ("bin/keyturn", "command line"),
    ("exec(eval(", "pytest and its workers"),
    ("pytest", "pytest and its workers"),
    ("ministack", "MiniStack"),
    ("nginx", "nginx"),
    ("pip", "pip"),
)
OTHER = "other"


def process_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def cpu_seconds(fields: list[str], with_ended_children: bool) -> float:
    """User and system time, on request with that of the children that ended and were waited for."""
    return sum(map(int, fields[11 : 15 if with_ended_children else 13])) / TICKS


def parents() -> dict[int, int]:
    """Of each process of this machine, its parent's number."""
    found = ((int(entry), process_fields(int(entry))) for entry in os.listdir("/proc") if entry.isdigit())
    return {pid: int(fields[1]) for pid, fields in found if fields}


def descendants(root: int) -> Iterator[int]:
    """A process and everything below it."""
    yield root
    for task in Path(f"/proc/{root}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield from descendants(int(child))


def tree_cpu_seconds() -> float:
    """CPU time of this process and all processes that it started, also of those that ended."""
    trees = (process_fields(pid) for pid in descendants(os.getpid()))
    return sum(cpu_seconds(fields, with_ended_children=True) for fields in trees if fields)


class WorkerProfile:
    """In a worker: the phases of its tests, and its fixtures' set-ups."""

    def __init__(self) -> None:
        self.tests: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self.fixtures: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])

    @contextmanager
    def _measured(self, totals: list[float]) -> Iterator[None]:
        wall, cpu = time.perf_counter(), tree_cpu_seconds()
        yield
        totals[0] += time.perf_counter() - wall
        totals[1] += tree_cpu_seconds() - cpu

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        with self._measured(self.tests[item.nodeid]):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        totals = self.fixtures[f"{fixturedef.argname} ({fixturedef.baseid or 'pytest'}, {fixturedef.scope})"]
        totals[2] += 1
        with self._measured(totals):
            return (yield)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["profile"] = {"tests": dict(self.tests), "fixtures": dict(self.fixtures)}


class RunProfile:
    """In the process that directs: gathers what the workers measured, watches the processes, and reports."""

    def __init__(self) -> None:
        self.tests: dict[str, list[float]] = {}
        self.fixtures: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        self.programs: dict[tuple[int, str], tuple[str, float]] = {}  # by number and start time
        self._known = {os.getpid()}
        self._began = time.perf_counter()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def pytest_sessionstart(self) -> None:
        self._watcher.start()

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Note the processes that are there now. One whose parent was ours stays ours, also without its parent."""
        for pid, parent in sorted(parents().items()):
            if parent not in self._known and pid not in self._known:
                continue
            fields = process_fields(pid)
            if not fields:
                continue
            self._known.add(pid)
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if command:
                program = next((name for part, name in PROGRAMS if part in command), OTHER)
                self.programs[pid, fields[19]] = (program, cpu_seconds(fields, with_ended_children=False))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        found = getattr(node, "workeroutput", {}).get("profile", {})
        self.tests.update(found.get("tests", {}))
        for name, totals in found.get("fixtures", {}).items():
            self.fixtures[name] = [one + other for one, other in zip(self.fixtures[name], totals, strict=True)]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self._ended.set()
        self._watcher.join()
        report = self.report()
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps({**report, "tests": self.tests}, indent=1))
        for title, rows in report.items():
            terminalreporter.section(title)
            terminalreporter.write_line(table(rows))
        terminalreporter.write_line(f"All of it: {REPORT}")

    def report(self) -> dict[str, list[dict[str, Any]]]:
        """The tables, by title."""
        folders: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for name, (wall, cpu) in self.tests.items():
            totals = folders["/".join(name.partition("::")[0].split("/")[:-1])]
            for column, value in enumerate((1, wall, cpu)):
                totals[column] += value
        started, cpu_of = Counter(name for name, _ in self.programs.values()), Counter[str]()
        for name, cpu in self.programs.values():
            cpu_of[name] += cpu
        whole = {"tests": len(self.tests), "worker s": sum(wall for wall, _ in self.tests.values())}
        return {
            "the run": [{**whole, "wall s": time.perf_counter() - self._began, "CPU s": sum(cpu_of.values())}],
            "by folder": [
                {"folder": name, "tests": int(count), "worker s": wall, "CPU s": cpu}
                for name, (count, wall, cpu) in sorted(folders.items(), key=lambda each: -each[1][1])
            ],
            "fixtures, their set-up alone, the twenty slowest": [
                {"fixture": name, "set-ups": int(count), "worker s": wall, "CPU s": cpu}
                for name, (wall, cpu, count) in sorted(self.fixtures.items(), key=lambda each: -each[1][0])[:20]
            ],
            "tests, the twenty slowest": [
                {"test": name, "worker s": wall, "CPU s": cpu}
                for name, (wall, cpu) in sorted(self.tests.items(), key=lambda each: -each[1][0])[:20]
            ],
            "programs": [
                {"program": name, "started": count, "CPU s": cpu_of[name]} for name, count in started.most_common()
            ],
        }


def table(rows: list[dict[str, Any]]) -> str:
    """Rows as a table in Markdown."""
    if not rows:
        return "nothing"
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[f"{value:.1f}" if isinstance(value, float) else str(value) for value in row.values()] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def pytest_configure(config: pytest.Config) -> None:
    """Measure in each process that runs tests, and direct in the one that does."""
    is_worker = hasattr(config, "workerinput")
    config.pluginmanager.register(WorkerProfile() if is_worker else RunProfile(), "keyturn-profile")
