"""`keyturn service …` and `keyturn webhook …`, and the machine that cuts for their secrets, by the API's contract."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.budgets import budget
from tests.cli.contract import ContractServer, Thing
from tests.cli.faults import Fault, Outcome, run
from tests.cutting import Cut, CuttingProxy

FOREVER = 100
REQUESTS = 5
KINDS = ("service", "webhook")
STOPS = (Fault.KILLED_AFTER, Fault.FULL, Fault.KILLED_BEFORE, Fault.ENDED)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def server() -> Iterator[ContractServer]:
    with ContractServer() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(server: ContractServer) -> Iterator[CuttingProxy]:
    with CuttingProxy(server.url) as proxy:
        yield proxy


@dataclass
class Terminal:
    """Where an administrator types commands."""

    server: ContractServer
    proxy: CuttingProxy
    folder: Path

    def run(self, *arguments: str, fault: Fault = Fault.NONE, at: int = -1) -> Outcome:
        known = {"HOME": str(self.folder), "KEYTURN_ADDRESS": self.proxy.url, "KEYTURN_TOKEN": "administrators"}
        folders = {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_CONFIG_HOME": str(self.folder / "config")}
        return run(arguments, {**known, **folders}, self.folder, fault, at)

    def json(self, *arguments: str) -> Any:
        outcome = self.run("--json", *arguments)
        assert outcome.code == 0, outcome
        return json.loads(outcome.stdout)

    def thing(self, kind: str) -> Thing:
        number = next(_numbers)
        if kind == "service":
            return self.server.add_service(f"sErvic{number:06}", f"service{number}")
        return self.server.add_webhook(f"wEbh{number:08}", {"name": f"webhook{number}", "url": "https://example.com"})

    def waiting(self) -> list[Path]:
        return [*self.folder.glob("*.new"), *self.folder.glob("state/keyturn/*.new")]


@pytest.fixture
def terminal(server: ContractServer, proxy: CuttingProxy, tmp_path: Path) -> Terminal:
    proxy.begin({})
    return Terminal(server, proxy, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
class TestRenewal:
    def test_a_secret_is_renewed_in_its_file_and_the_one_before_goes_on(self, terminal: Terminal, kind: str) -> None:
        thing, file = terminal.thing(kind), terminal.folder / "secret"
        file.write_text(old := thing.current)
        outcome = terminal.run(kind, "renew-secret", thing.name, "--grace", "1h", "--write", str(file))
        assert (outcome.code, file.read_text().strip()) == (0, thing.current), outcome
        assert thing.current not in outcome.stdout + outcome.stderr
        assert "good until" in outcome.stderr
        assert thing.is_good(old)
        outcome = terminal.run(kind, "renew-secret", thing.id, "--write", str(file))
        assert (outcome.code, thing.is_good(old), file.read_text().strip()) == (0, False, thing.current)
        assert terminal.waiting() == []

    def test_without_a_file_it_is_printed(self, terminal: Terminal, kind: str) -> None:
        thing = terminal.thing(kind)
        assert terminal.run(kind, "renew-secret", thing.name).stdout.strip() == thing.current
        assert terminal.json(kind, "renew-secret", thing.name)["secret"] == thing.current
        assert terminal.waiting() == []

    def test_a_command_gets_it_and_if_it_fails_it_is_taken_back(self, terminal: Terminal, kind: str) -> None:
        thing, file, seen = terminal.thing(kind), terminal.folder / "secret", terminal.folder / "seen"
        file.write_text(old := thing.current)
        arguments = (kind, "renew-secret", thing.name, "--grace", "1h", "--write", str(file), "--exec")
        outcome = terminal.run(*arguments, f"cat > {seen}; exit 3")
        assert (outcome.code, thing.current, file.read_text().strip()) == (5, old, old), outcome
        assert terminal.run(*arguments, f"cat > {seen}").code == 0
        assert seen.read_text().strip() == thing.current

    def test_what_is_not_the_current_secret_is_never_taken_back_to(self, terminal: Terminal, kind: str) -> None:
        """It would end the one that others use."""
        thing, file = terminal.thing(kind), terminal.folder / "secret"
        file.write_text(thing.current)
        assert terminal.run(kind, "renew-secret", thing.name, "--grace", "1h").code == 0
        used = thing.current
        arguments = ("--grace", "1h", "--write", str(file), "--exec", "cat; exit 3")
        outcome = terminal.run(kind, "renew-secret", thing.name, *arguments)
        assert (outcome.code, file.read_text().strip()) == (6, thing.current), outcome
        assert thing.is_good(used)

    @pytest.mark.parametrize("grace", ["0", "1h"])
    @pytest.mark.parametrize("failing", [False, True])
    def test_whatever_is_cut_the_holder_has_a_good_secret(
        self, terminal: Terminal, proxy: CuttingProxy, kind: str, grace: str, failing: bool
    ) -> None:
        cuts = [(at, cut, times) for times in (1, FOREVER) for cut in Cut for at in range(REQUESTS)]
        for at, cut, times in turn(cuts, (KINDS.index(kind) * 4 + (grace == "0") * 2 + failing) / 8):
            holder = Holder(terminal, kind, grace, failing)
            proxy.begin({at + later: cut for later in range(times)})
            outcome = holder.renew()
            proxy.begin({})
            holder.check(outcome)
        steps = Holder(terminal, kind, grace, failing).renew().steps
        stops = [(fault, at) for at in range(steps) for fault in STOPS]
        for fault, at in turn(stops, (KINDS.index(kind) * 4 + (grace == "0") * 2 + failing) / 8):
            holder = Holder(terminal, kind, grace, failing)
            holder.check(holder.renew(fault, at))


def turn(things: list[Any], where: float, gate: int = 3) -> list[Any]:
    count = min(len(things), budget(gate, len(things)))
    return [things[(int(where * len(things)) + number * len(things) // count) % len(things)] for number in range(count)]


class Holder:
    """Of a service's or webhook's secret, in a file."""

    def __init__(self, terminal: Terminal, kind: str, grace: str, failing: bool) -> None:
        self.terminal, self.kind, self.grace, self.failing = terminal, kind, grace, failing
        self.thing = terminal.thing(kind)
        self.file = terminal.folder / f"{self.thing.name}-secret"
        self.file.write_text(self.thing.current)

    def renew(self, fault: Fault = Fault.NONE, at: int = -1, failing: bool | None = None) -> Outcome:
        failing = self.failing if failing is None else failing
        more = ("--exec", "cat > /dev/null; exit 7") if failing else ()
        arguments = ("--grace", self.grace, "--write", str(self.file), *more)
        return self.terminal.run(self.kind, "renew-secret", self.thing.id, *arguments, fault=fault, at=at)

    def check(self, outcome: Outcome) -> None:
        waiting = self.file.with_name(self.file.name + ".new")
        held = [file.read_text().strip() for file in (self.file, waiting) if file.exists()]
        assert any(map(self.thing.is_good, held)), outcome
        if outcome.code in (0, 5):
            assert self.thing.is_good(held[0]), outcome
            assert not waiting.exists()
        again = self.renew(failing=False)
        assert again.code == 0, (outcome, again)
        assert self.file.read_text().strip() == self.thing.current
        assert not waiting.exists()


class TestWebhooks:
    def test_one_is_made_changed_tried_and_deleted(self, terminal: Terminal) -> None:
        name = f"hook{next(_numbers)}"
        made = terminal.json("webhook", "create", name, "https://example.com/a", "-e", "permanent-token.expired")
        thing = terminal.server.webhooks[made["id"]]
        assert (thing.current, thing.more["kinds"]) == (made["secret"], ["permanent-token.expired"])
        assert name in terminal.run("webhook", "list").stdout
        arguments = ("--url", "https://example.com/b", "--all-events")
        assert terminal.run("webhook", "update", name, *arguments).code == 0
        assert (thing.more["url"], thing.more["kinds"]) == ("https://example.com/b", [])
        assert "https://example.com/b" in terminal.run("webhook", "show", name).stdout
        assert terminal.run("webhook", "test", made["id"]).code == 0
        assert ("POST", f"/webhooks/{made['id']}/test") in terminal.server.asked
        assert terminal.run("webhook", "delete", name, "--yes").code == 0
        assert made["id"] not in terminal.server.webhooks
        assert terminal.run("webhook", "show", name).code == 1

    def test_whatever_is_cut_the_same_command_makes_one_and_gives_its_secret(
        self, terminal: Terminal, proxy: CuttingProxy
    ) -> None:
        cuts = [(at, cut, times) for times in (1, FOREVER) for cut in Cut for at in range(2)]
        faults = [(fault, at) for at in range(8) for fault in STOPS]
        for number, each in enumerate([*turn(cuts, 0, 6), *turn(faults, 0, 8)]):
            file, name = terminal.folder / f"file{number}", f"cut{next(_numbers)}"
            arguments = ("webhook", "create", name, "https://example.com", "--write", str(file))
            if isinstance(each[0], Fault):
                terminal.run(*arguments, fault=each[0], at=each[1])
            else:
                at, cut, times = each
                proxy.begin({at + later: cut for later in range(times)})
                terminal.run(*arguments)
                proxy.begin({})
            if not file.exists():  # or it would make another one, as it says
                outcome = terminal.run(*arguments)
                assert outcome.code == 0, (each, outcome)
            found = [thing for thing in terminal.server.webhooks.values() if thing.name == name]
            assert [thing.current for thing in found] == [file.read_text().strip()], each

    def test_a_server_that_chooses_the_secret_itself_takes_ours_afterwards(self, terminal: Terminal) -> None:
        server = terminal.server
        original = server.add_webhook
        server.add_webhook = lambda id, body: original(id, {**body, "secret": None})  # type: ignore[method-assign]
        try:
            made = terminal.json("webhook", "create", f"own{next(_numbers)}", "https://example.com")
        finally:
            server.add_webhook = original  # type: ignore[method-assign]
        assert server.webhooks[made["id"]].current == made["secret"]


def test_services_are_listed(terminal: Terminal) -> None:
    thing = terminal.thing("service")
    assert thing.id in {each["id"] for each in terminal.json("service", "list")}
