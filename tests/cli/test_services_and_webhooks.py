"""`keyturn service …` and `keyturn webhook …`, and the machine that cuts for their secrets."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from keyturn_cli import wire_format

from embedded.api import Api
from embedded.stack import Stack
from tests.budgets import budget
from tests.cli.faults import Fault, Outcome, run
from tests.cutting import Cut, CuttingProxy

FOREVER = 100
REQUESTS = 5
KINDS = ("service", "webhook")
STOPS = (Fault.KILLED_AFTER, Fault.FULL, Fault.KILLED_BEFORE, Fault.ENDED)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def proxy(stack: Stack) -> Iterator[CuttingProxy]:
    with CuttingProxy(stack.url) as proxy:
        yield proxy


@dataclass
class Thing:
    """A service or webhook of the server; `first` is the secret that it began with."""

    stack: Stack
    kind: str
    id: str
    name: str
    first: str

    @property
    def api(self) -> Api:
        return self.stack.administrator()

    def is_current(self, secret: str) -> bool:
        brought = wire_format.parse(secret)
        body = {"secret": brought.middle if brought else secret}
        return bool(self.api.post(f"/{self.kind}s/{self.id}/secret/comparison", body)["current"])

    def is_good(self, secret: str) -> bool:
        """A service's is presented; of a webhook's, the server tells how many sign."""
        if self.kind == "service":
            asked = f"{self.stack.url}/api/rest/oauth2/introspect"
            return requests.post(asked, auth=(self.name, secret), data={"token": "x"}, timeout=30).status_code == 200
        signing = self.api.get(f"/webhooks/{self.id}?fields=secrets(endsOn)")["secrets"]
        return self.is_current(secret) or (secret == self.first and len(signing) > 1)

    def delete(self) -> None:
        self.api.call("DELETE", f"/{self.kind}s/{self.id}")


@dataclass
class Terminal:
    """Where an administrator types commands."""

    stack: Stack
    proxy: CuttingProxy
    folder: Path

    def run(self, *arguments: str, fault: Fault = Fault.NONE, at: int = -1) -> Outcome:
        known = {"HOME": str(self.folder), "KEYTURN_ADDRESS": self.proxy.url, **self.token}
        folders = {"XDG_STATE_HOME": str(self.folder / "state"), "XDG_CONFIG_HOME": str(self.folder / "config")}
        return run(arguments, {**known, **folders}, self.folder, fault, at)

    def json(self, *arguments: str) -> Any:
        outcome = self.run("--json", *arguments)
        assert outcome.code == 0, outcome
        return json.loads(outcome.stdout)

    @property
    def token(self) -> dict[str, str]:
        return {"KEYTURN_TOKEN": self.stack.secrets.read("administrator") or ""}

    def thing(self, kind: str) -> Thing:
        name = f"{kind}{next(_numbers)}"
        body = {"key": name, "name": name} if kind == "service" else {"name": name, "url": "https://example.com"}
        made = self.stack.administrator().post(f"/{kind}s", body)
        return Thing(self.stack, kind, made["id"], name, made["secret"])

    def waiting(self) -> list[Path]:
        return [*self.folder.glob("*.new"), *self.folder.glob("state/keyturn/*.new")]


@pytest.fixture
def terminal(stack: Stack, proxy: CuttingProxy, tmp_path: Path) -> Iterator[Terminal]:
    proxy.begin({})
    yield Terminal(stack, proxy, tmp_path)
    for webhook in stack.administrator().get("/webhooks?$top=100")["webhooks"]:  # an installation has 20 at most
        stack.administrator().call("DELETE", f"/webhooks/{webhook['id']}")


@pytest.mark.parametrize("kind", KINDS)
class TestRenewal:
    def test_a_secret_is_renewed_in_its_file_and_the_one_before_goes_on(self, terminal: Terminal, kind: str) -> None:
        thing, file = terminal.thing(kind), terminal.folder / "secret"
        file.write_text(old := thing.first)
        outcome = terminal.run(kind, "renew-secret", thing.name, "--grace", "1h", "--write", str(file))
        new = file.read_text().strip()
        assert (outcome.code, thing.is_current(new)) == (0, True), outcome
        assert new not in outcome.stdout + outcome.stderr
        assert "good until" in outcome.stderr
        assert thing.is_good(old)
        outcome = terminal.run(kind, "renew-secret", thing.id, "--grace", "0", "--write", str(file))
        assert (outcome.code, thing.is_good(old)) == (0, False)
        assert thing.is_current(file.read_text().strip())
        assert terminal.waiting() == []

    def test_without_a_file_it_is_printed(self, terminal: Terminal, kind: str) -> None:
        thing = terminal.thing(kind)
        assert thing.is_current(terminal.run(kind, "renew-secret", thing.name).stdout.strip())
        assert thing.is_current(terminal.json(kind, "renew-secret", thing.name)["secret"])
        assert terminal.waiting() == []

    def test_a_command_gets_it_and_if_it_fails_it_is_taken_back(self, terminal: Terminal, kind: str) -> None:
        thing, file, seen = terminal.thing(kind), terminal.folder / "secret", terminal.folder / "seen"
        file.write_text(old := thing.first)
        arguments = (kind, "renew-secret", thing.name, "--grace", "1h", "--write", str(file), "--exec")
        outcome = terminal.run(*arguments, f"cat > {seen}; exit 3")
        assert (outcome.code, file.read_text().strip(), thing.is_current(old)) == (5, old, True), outcome
        assert terminal.run(*arguments, f"cat > {seen}").code == 0
        assert thing.is_current(seen.read_text().strip())

    def test_what_is_not_the_current_secret_is_never_taken_back_to(self, terminal: Terminal, kind: str) -> None:
        """It would end the one that others use."""
        thing, file = terminal.thing(kind), terminal.folder / "secret"
        file.write_text(thing.first)
        used = terminal.run(kind, "renew-secret", thing.name, "--grace", "1h").stdout.strip()
        arguments = ("--grace", "1h", "--write", str(file), "--exec", "cat; exit 3")
        outcome = terminal.run(kind, "renew-secret", thing.name, *arguments)
        assert (outcome.code, thing.is_current(file.read_text().strip())) == (6, True), outcome
        assert kind == "webhook" or thing.is_good(used)

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
        undisturbed = Holder(terminal, kind, grace, failing)
        steps = undisturbed.renew().steps
        undisturbed.thing.delete()
        stops = [(fault, at) for at in range(steps) for fault in STOPS]
        for fault, at in turn(stops, (KINDS.index(kind) * 4 + (grace == "0") * 2 + failing) / 8):
            holder = Holder(terminal, kind, grace, failing)
            holder.check(holder.renew(fault, at))


def turn(things: list[Any], where: float, gate: int = 2) -> list[Any]:
    count = min(len(things), budget(gate, len(things)))
    return [things[(int(where * len(things)) + number * len(things) // count) % len(things)] for number in range(count)]


class Holder:
    """Of a service's or webhook's secret, in a file."""

    def __init__(self, terminal: Terminal, kind: str, grace: str, failing: bool) -> None:
        self.terminal, self.kind, self.grace, self.failing = terminal, kind, grace, failing
        self.thing = terminal.thing(kind)
        self.file = terminal.folder / f"{self.thing.name}-secret"
        self.file.write_text(self.thing.first)

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
        assert self.thing.is_current(self.file.read_text().strip())
        assert not waiting.exists()
        self.thing.delete()


class TestWebhooks:
    def test_one_is_made_changed_tried_and_deleted(self, terminal: Terminal) -> None:
        name = f"hook{next(_numbers)}"
        made = terminal.json("webhook", "create", name, "https://example.com/a", "-e", "permanent-token.expired")
        assert Thing(terminal.stack, "webhook", made["id"], name, "").is_current(made["secret"])
        assert made["kinds"] == ["permanent-token.expired"]
        assert name in terminal.run("webhook", "list").stdout
        arguments = ("--url", "https://localhost:9/b", "--all-events")
        assert terminal.run("webhook", "update", name, *arguments).code == 0
        changed = terminal.json("webhook", "show", name)
        assert (changed["url"], changed["kinds"]) == ("https://localhost:9/b", [])
        assert "https://localhost:9/b" in terminal.run("webhook", "show", name).stdout
        tried = terminal.run("webhook", "test", made["id"])  # nobody listens there
        assert (tried.code, "did not take the test" in tried.stderr) == (1, True), tried
        assert terminal.run("webhook", "delete", name, "--yes").code == 0
        assert terminal.run("webhook", "show", name).code == 1

    def test_what_was_made_by_another_command_is_not_given_as_this_ones(
        self, terminal: Terminal, proxy: CuttingProxy
    ) -> None:
        name, file = f"hook{next(_numbers)}", terminal.folder / "file"
        first = ("webhook", "create", name, "https://example.com/a", "--write", str(file))
        proxy.begin(dict.fromkeys(range(FOREVER), Cut.AFTER_REQUEST))
        assert terminal.run(*first).code == 4
        proxy.begin({})
        second = ("webhook", "create", name, "https://example.com/b", "-e", "permanent-token.leaked")
        outcome = terminal.run(*second, "--write", str(file))
        assert (outcome.code, "another URL, --event." in outcome.stderr) == (6, True), outcome
        assert not file.exists()
        assert terminal.run(*first).code == 0

    def test_whatever_is_cut_the_same_command_makes_one_and_gives_its_secret(
        self, terminal: Terminal, proxy: CuttingProxy
    ) -> None:
        cuts = [(at, cut, times) for times in (1, FOREVER) for cut in Cut for at in range(2)]
        faults = [(fault, at) for at in range(8) for fault in STOPS]
        for number, each in enumerate([*turn(cuts, 0, 4), *turn(faults, 0, 6)]):
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
            webhooks = terminal.stack.administrator().get("/webhooks?$top=100")["webhooks"]
            (made,) = [webhook for webhook in webhooks if webhook["name"] == name]
            thing = Thing(terminal.stack, "webhook", made["id"], name, "")
            assert thing.is_current(file.read_text().strip()), each
            thing.delete()


def test_services_are_listed(terminal: Terminal) -> None:
    thing = terminal.thing("service")
    assert thing.id in {each["id"] for each in terminal.json("service", "list")}
