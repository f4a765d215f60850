"""A thousand bots with two tokens each: one `bots` task, the bare calls that it has to make, and a loop over modules.

    python -m benchmarks.ansible [--bots 1000] [--looped 20]

Everything is real: `ansible-playbook`, the server, the database. The bare calls are what no client could leave out,
prepared beforehand, and sent over as many kept connections as the task has. The loop is measured with fewer bots, and
its time for all of them is told by multiplication. Requests are counted where they arrive.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import click
import yaml
from rich.console import Console
from rich.table import Table

from embedded import playbook
from embedded.main_job import register_services
from embedded.stack import ADMINISTRATOR, Stack

PARALLEL = 8
PAGE = 100
FIELDS = "id,login,name,owner(id,name,type),permanentTokens(id,name,scope(id,key,name),labels,endsOn)"
Call = tuple[str, str, Any]


class Bare:
    """Sends prepared requests over kept connections, in parallel."""

    def __init__(self, url: str, token: str) -> None:
        self._place = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._local = threading.local()

    def all(self, calls: Sequence[Call]) -> list[Any]:
        """The answers, in order."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(self._one, calls))

    def _one(self, call: Call) -> Any:
        if not hasattr(self._local, "connection"):
            self._local.connection = HTTPConnection(self._place)
        method, path, body = call
        text = None if body is None else json.dumps(body)
        self._local.connection.request(method, f"/api/rest{path}", text, self._headers)
        answer = self._local.connection.getresponse()
        told = json.loads(answer.read() or "{}")
        if answer.status != 200:
            raise RuntimeError(f"{method} {path}: {answer.status} {told}")
        return told


def bots(number: int, prefix: str, name: str = "Bot") -> list[dict[str, Any]]:
    """The desired state."""
    tokens = [{"name": "one", "scope": ["ci"]}, {"name": "two", "scope": ["ci", "deploy"]}]
    return [{"login": f"{prefix}-{each}", "name": f"{name} {each}", "tokens": tokens} for each in range(number)]


def timed(work: Callable[[], object]) -> float:
    """How long it takes, in seconds."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@dataclass(frozen=True)
class Cost:
    """What something took: seconds, and requests."""

    seconds: float
    requests: int


class Measurement:
    """One installation, and what is run against it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.token = stack.secrets.read(ADMINISTRATOR) or ""
        self.bare = Bare(stack.url, self.token)

    def cost(self, work: Callable[[], float]) -> Cost:
        """What it takes to do something that says for how long it ran."""
        before = self._requests()
        seconds = work()
        return Cost(seconds, self._requests() - before)

    def _requests(self) -> int:
        """How many the server has answered: it tells a line of each."""
        return (self.stack.folder / "server.log").read_text().count('"route":')

    def play(self, tasks: list[dict[str, Any]], changed: int) -> None:
        """Run a play. Raises RuntimeError unless as many tasks changed something as are said."""
        path = self.folder / "play.yml"
        path.write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        finished = subprocess.run(
            playbook.command(path), env=playbook.environment(self.stack.url, self.token), capture_output=True, text=True
        )
        if finished.returncode or playbook.changed_in(finished.stdout) != changed:
            raise RuntimeError(finished.stdout[-3_000:] + finished.stderr)

    def task(self, wanted: list[dict[str, Any]], changed: bool) -> float:
        """How long one `bots` task takes."""
        source = self.folder / "bots.yml"
        source.write_text(yaml.safe_dump(wanted))
        options = {"src": str(source), "boundary": {"owner": "bench-owner"}, "purge": True, "parallel": PARALLEL}
        options["max_removals"] = "1%"
        return timed(lambda: self.play([{"keyturn.hub.bots": options}], int(changed)))

    def loop(self, wanted: list[dict[str, Any]], changed: bool) -> float:
        """How long a loop over the single modules takes."""
        tasks = [
            {
                "keyturn.hub.user": {"login": "{{ item.login }}", "name": "{{ item.name }}", "type": "bot"},
                "loop": wanted,
            },
            {
                "keyturn.hub.permanent_token": {
                    "user": "{{ item.0.login }}",
                    "name": "{{ item.1.name }}",
                    "scope": "{{ item.1.scope }}",
                },
                "loop": "{{ wanted | subelements('tokens') }}",
                "vars": {"wanted": wanted},
            },
        ]
        return timed(lambda: self.play(tasks, 2 * changed))

    def make(self, wanted: list[dict[str, Any]]) -> float:
        """How long the bare calls take that make these bots."""
        begin = time.perf_counter()
        owner = {"login": "bare-owner"}
        self.bare.all([("POST", "/users?fields=id", {**_bot(bot), "owner": owner}) for bot in wanted])
        tokens = [
            (
                "POST",
                f"/users/{bot['login']}/permanenttokens?fields=id,token",
                {"name": token["name"], "scope": [{"key": key} for key in token["scope"]]},
            )
            for bot in wanted
            for token in bot["tokens"]
        ]
        self.bare.all(tokens)
        return time.perf_counter() - begin

    def read(self, number: int) -> float:
        """How long the bare calls take that read these bots."""
        query = f"query={quote('owner: bare-owner')}&fields={FIELDS}&$top={PAGE}"
        return timed(
            lambda: self.bare.all([("GET", f"/users?{query}&$skip={skip}", None) for skip in range(0, number, PAGE)])
        )

    def change(self, number: int) -> float:
        """The same, and one change."""
        return self.read(number) + timed(lambda: self.bare.all([("POST", "/users/bare-0", {"name": "Other"})]))


def _bot(bot: dict[str, Any]) -> dict[str, Any]:
    return {"login": bot["login"], "name": bot["name"], "type": "bot"}


@click.command()
@click.option("--bots", "number", default=1_000, show_default=True)
@click.option("--looped", default=20, show_default=True)
def main(number: int, looped: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder) / "stack") as stack:
        api = stack.administrator()
        register_services(stack, api)
        for login in ("bench-owner", "bare-owner"):
            api.post("/users", {"login": login, "name": login})
        measured = Measurement(stack, Path(folder))
        wanted, few = bots(number, "bench"), bots(looped, "loop")
        changed = [{**wanted[0], "name": "Other"}, *wanted[1:]]
        rows = {
            "first apply": (
                lambda: measured.task(wanted, True),
                lambda: measured.make(bots(number, "bare")),
                lambda: measured.loop(few, True),
            ),
            "nothing to do": (
                lambda: measured.task(wanted, False),
                lambda: measured.read(number),
                lambda: measured.loop(few, False),
            ),
            "one change": (
                lambda: measured.task(changed, True),
                lambda: measured.change(number),
                lambda: measured.loop(few, False),
            ),
        }
        table = Table(f"{number} bots, {2 * number} tokens", "bots task", "bare calls", "ratio", "loop over modules")
        for name, works in rows.items():
            task, bare, loop = map(measured.cost, works)
            scale = number / looped
            table.add_row(
                name,
                f"{task.seconds:.1f} s, {task.requests} requests",
                f"{bare.seconds:.1f} s, {bare.requests} requests",
                f"{task.seconds / bare.seconds:.2f}",
                f"{loop.seconds * scale:.0f} s, {loop.requests * scale:.0f} requests (scaled)",
            )
        Console(width=130).print(table)


if __name__ == "__main__":
    main()
