"""`keyturn service …` and `keyturn webhook …`, and the machine that cuts for their secrets."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from keyturn_cli import token_format
from standardwebhooks import Webhook, WebhookVerificationError

from embedded.api import Api
from embedded.stack import Stack
from tests.budgets import budget
from tests.cli.faults import Fault, Outcome, run
from tests.cutting import Cut, CuttingProxy

FOREVER = 100
KINDS = ("service", "webhook")
STOPS = (Fault.KILLED_AFTER, Fault.FULL, Fault.KILLED_BEFORE, Fault.ENDED)
KILLS = (Fault.KILLED_AFTER, Fault.KILLED_BEFORE)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def proxy(stack: Stack) -> Iterator[CuttingProxy]:
    with CuttingProxy(stack.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    mailbox = Mailbox()
    yield mailbox
    mailbox.server.shutdown()


class Mailbox:
    """Takes what webhooks are told, and keeps the last message to each path."""

    def __init__(self) -> None:
        self.last: dict[str, tuple[bytes, dict[str, str]]] = {}
        last = self.last

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                last[self.path] = self.rfile.read(int(self.headers["Content-Length"])), dict(self.headers)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@dataclass
class Thing:
    """A service or webhook of the server; `first` is the secret that it began with."""

    stack: Stack
    kind: str
    id: str
    name: str
    first: str
    mailbox: Mailbox

    @property
    def api(self) -> Api:
        return self.stack.administrator()

    def is_current(self, secret: str) -> bool:
        brought = token_format.parse(secret)
        body = {"secret": brought.middle if brought else secret}
        return bool(self.api.post(f"/{self.kind}s/{self.id}/secret/comparison", body)["current"])

    def is_good(self, secret: str) -> bool:
        """A service's is presented; by a webhook's, a receiver knows a message that the server sends now."""
        if self.kind == "service":
            asked = f"{self.stack.url}/api/rest/oauth2/introspect"
            return requests.post(asked, auth=(self.name, secret), data={"token": "x"}, timeout=30).status_code == 200
        self.api.post(f"/webhooks/{self.id}/test", {})
        body, headers = self.mailbox.last.pop(f"/{self.name}")
        try:
            Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            return False
        return True

    def delete(self) -> None:
        self.api.call("DELETE", f"/{self.kind}s/{self.id}")


@dataclass
class Terminal:
    """Where an administrator types commands."""

    stack: Stack
    proxy: CuttingProxy
    folder: Path
    mailbox: Mailbox

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
        told = {"name": name, "url": f"{self.mailbox.url}/{name}", "kinds": ["permanent-token.leaked"]}
        body = {"key": name, "name": name} if kind == "service" else told
        made = self.stack.administrator().post(f"/{kind}s", body)
        return self.known(kind, made["id"], name, made["secret"])

    def known(self, kind: str, id: str, name: str, first: str = "") -> Thing:
        return Thing(self.stack, kind, id, name, first, self.mailbox)

    def waiting(self) -> list[Path]:
        return [*self.folder.glob("*.new"), *self.folder.glob("state/keyturn/*.new")]


@pytest.fixture
def terminal(stack: Stack, proxy: CuttingProxy, mailbox: Mailbox, tmp_path: Path) -> Iterator[Terminal]:
    proxy.begin({})
    yield Terminal(stack, proxy, tmp_path, mailbox)
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
        assert thing.is_good(used)

    @pytest.mark.parametrize("grace", ["0", "1h"])
    @pytest.mark.parametrize("failing", [False, True])
    def test_whatever_is_cut_the_holder_has_a_good_secret(
        self, terminal: Terminal, proxy: CuttingProxy, kind: str, grace: str, failing: bool
    ) -> None:
        proxy.begin({})
        undisturbed = Holder(terminal, kind, grace, failing)
        steps, requests = undisturbed.renew().steps, proxy.number
        undisturbed.thing.delete()
        part = (KINDS.index(kind) * 4 + (grace == "0") * 2 + failing) / 8
        cuts = [(at, cut, times) for times in (1, FOREVER) for cut in Cut for at in range(requests)]
        for at, cut, times in turn(cuts, part):
            holder = Holder(terminal, kind, grace, failing)
            proxy.begin({at + later: cut for later in range(times)})
            outcome = holder.renew()
            assert proxy.number > at, outcome
            proxy.begin({})
            holder.check(outcome)
        stops = [(fault, at) for at in range(steps) for fault in STOPS]
        for fault, at in turn(stops, part):
            holder = Holder(terminal, kind, grace, failing)
            outcome = holder.renew(fault, at)
            assert was_reached(fault, at, outcome), outcome
            holder.check(outcome)


def was_reached(fault: Fault, at: int, outcome: Outcome) -> bool:
    return outcome.killed if fault in KILLS else outcome.steps > at


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
        assert terminal.known("webhook", made["id"], name).is_current(made["secret"])
        assert made["kinds"] == ["permanent-token.expired"]
        assert name in terminal.run("webhook", "list").stdout
        arguments = ("--url", "https://localhost:9/b", "--all-events")
        assert terminal.run("webhook", "update", name, *arguments).code == 0
        changed = terminal.json("webhook", "show", name)
        assert (changed["url"], changed["kinds"]) == ("https://localhost:9/b", [])
        assert "https://localhost:9/b" in terminal.run("webhook", "show", name).stdout
        tried = terminal.run("webhook", "test", made["id"])  # nobody listens there
        assert (tried.code, "did not accept the test event" in tried.stderr) == (1, True), tried
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

    def test_a_name_that_is_taken_makes_no_second_one(self, terminal: Terminal) -> None:
        name = f"hook{next(_numbers)}"
        first = terminal.json("webhook", "create", name, "https://example.com/a")
        outcome = terminal.run("webhook", "create", name.upper(), "https://example.com/a")
        assert (outcome.code, f"There is a webhook named '{name.upper()}' already" in outcome.stderr) == (1, True), (
            outcome
        )
        assert terminal.waiting() == []
        assert terminal.json("webhook", "show", name.upper())["id"] == first["id"]
        assert terminal.known("webhook", first["id"], name).is_current(first["secret"])

    def test_what_a_lost_answer_made_is_found_by_its_name_once_the_server_has_forgotten_the_request(
        self, terminal: Terminal, proxy: CuttingProxy
    ) -> None:
        """The name in other case is the same one, and no request that the server remembers."""
        name, file = f"hook{next(_numbers)}", terminal.folder / "file"
        proxy.begin(dict.fromkeys(range(FOREVER), Cut.AFTER_REQUEST))
        assert terminal.run("webhook", "create", name, "https://example.com/a", "--write", str(file)).code == 4
        proxy.begin({})
        outcome = terminal.run("webhook", "create", name.upper(), "https://example.com/a", "--write", str(file))
        assert outcome.code == 0, outcome
        (made,) = terminal.json("webhook", "list")
        assert terminal.known("webhook", made["id"], name).is_current(file.read_text().strip())

    def test_whatever_is_cut_the_same_command_makes_one_and_gives_its_secret(
        self, terminal: Terminal, proxy: CuttingProxy
    ) -> None:
        proxy.begin({})
        name, file = f"whole{next(_numbers)}", terminal.folder / "whole"
        outcome = terminal.run("webhook", "create", name, "https://example.com", "--write", str(file))
        cuts = [(at, cut, times) for times in (1, FOREVER) for cut in Cut for at in range(proxy.number)]
        faults = [(fault, at) for at in range(outcome.steps) for fault in STOPS]
        for number, each in enumerate([*turn(cuts, 0, 4), *turn(faults, 0, 6)]):
            file, name = terminal.folder / f"file{number}", f"cut{next(_numbers)}"
            arguments = ("webhook", "create", name, "https://example.com", "--write", str(file))
            if isinstance(each[0], Fault):
                outcome = terminal.run(*arguments, fault=each[0], at=each[1])
                assert was_reached(*each, outcome), (each, outcome)
            else:
                at, cut, times = each
                proxy.begin({at + later: cut for later in range(times)})
                terminal.run(*arguments)
                assert proxy.number > at, each
                proxy.begin({})
            if not file.exists():  # or it would make another one, as it says
                outcome = terminal.run(*arguments)
                assert outcome.code == 0, (each, outcome)
            webhooks = terminal.stack.administrator().get("/webhooks?$top=100")["webhooks"]
            (made,) = [webhook for webhook in webhooks if webhook["name"] == name]
            thing = terminal.known("webhook", made["id"], name)
            assert thing.is_current(file.read_text().strip()), each
            thing.delete()


def test_services_are_listed(terminal: Terminal) -> None:
    thing = terminal.thing("service")
    assert thing.id in {each["id"] for each in terminal.json("service", "list")}
