"""The machine that cuts: a secret is renewed or made, and at every step something goes wrong.

Connections are lost before, in and after each request and each answer, the program is killed, told to end, or finds the
disk full, at each step that it takes; the command that gets the secret fails after it has delivered it. After each, the
holder has a secret that is good, or none ever existed; and the same command, run again, succeeds.

Forks run against a server as it ships. What the gate leaves out of places, graces, policies and faults takes turns.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from embedded.api import Api
from embedded.stack import Stack
from tests.budgets import budget
from tests.cli.faults import Fault, Outcome, run
from tests.cutting import Cut, CuttingProxy

_numbers = itertools.count()
FOREVER = 100


class Where(Enum):
    """Where the new secret goes."""

    FILE = "a file"
    FILE_AND_COMMAND = "a file and a command"
    FILE_AND_FAILING = "a file and a command that fails when it has delivered"
    COMMAND = "a command"
    FAILING = "a command that fails when it has delivered"
    PRINTED = "printed"

    @property
    def in_file(self) -> bool:
        return self in (Where.FILE, Where.FILE_AND_COMMAND, Where.FILE_AND_FAILING)

    @property
    def fails(self) -> bool:
        return self in (Where.FILE_AND_FAILING, Where.FAILING)


GRACES = ("0", "1h")
POLICIES = ("flag", "revoke")
SITUATIONS = [
    (where, grace, policy)
    for where, grace, policy in itertools.product(Where, GRACES, POLICIES)
    if grace != "0" or where not in (Where.COMMAND, Where.FAILING)  # which is refused
]


@dataclass
class Holder:
    """Somebody with a token, in a file or in the environment."""

    stack: Stack
    address: str
    folder: Path
    where: Where
    grace: str
    old: str
    printed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file = self.folder / "token"
        self.delivered = self.folder / "delivered"
        if self.where.in_file:
            self.file.write_text(self.old + "\n")
        self.presented = self.old

    def rotate(self, fault: Fault = Fault.NONE, at: int = -1, failing: bool | None = None) -> Outcome:
        """The command, as its holder types it each time."""
        arguments = ["token", "rotate", "--grace", self.grace]
        if self.where.in_file:
            arguments += ["--write", str(self.file)]
        if self.where not in (Where.FILE, Where.PRINTED):
            ends = "exit 7" if (self.where.fails if failing is None else failing) else "exit 0"
            arguments += ["--exec", f"cat > {self.delivered}; {ends}"]
        outcome = run(arguments, self.environment, self.folder, fault, at)
        if self.where is Where.PRINTED and outcome.stdout.strip():
            self.printed.append(outcome.stdout.strip())
            self.presented = self.printed[-1]
        if self.where is Where.COMMAND and outcome.code == 0:
            self.presented = self.delivered.read_text().strip()
        return outcome

    @property
    def environment(self) -> dict[str, str]:
        known = {"HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "state")}
        token = {} if self.where.in_file else {"KEYTURN_TOKEN": self.presented}
        return {**known, "XDG_CONFIG_HOME": str(self.folder / "config"), "KEYTURN_ADDRESS": self.address, **token}

    def waiting(self) -> list[str]:
        """What waits beside the file, or in the folder for state."""
        files = [*self.folder.glob("token.new"), *self.folder.glob("state/keyturn/*.new")]
        return [file.read_text().strip() for file in files]

    def has_good_secret(self) -> bool:
        """In the file, printed, in the environment, or where the next command finds it. What may have ended is
        presented last: it would count as used again."""
        held = [self.file.read_text().strip()] if self.where.in_file else [self.presented]
        return any(is_good(self.stack, secret) for secret in [*self.waiting(), *held])

    def check(self, outcome: Outcome) -> None:
        """After whatever went wrong."""
        assert "Traceback" not in outcome.stderr, outcome.stderr
        assert outcome.killed or outcome.code in (0, 1, 4, 5, 6, 143), outcome
        if outcome.code in (0, 5):
            assert self.waiting() == [], outcome
        assert self.has_good_secret(), outcome
        if self.where.in_file and outcome.code in (0, 1, 5):  # says that the file is right
            assert is_good(self.stack, self.file.read_text().strip()), outcome
        again = self.rotate(failing=False)
        assert again.code == 0, (outcome, again)
        assert self.waiting() == []
        assert is_good(self.stack, self.last()), (outcome, again)

    def last(self) -> str:
        if self.where.in_file:
            return self.file.read_text().strip()
        return self.presented if self.where is Where.PRINTED else self.delivered.read_text().strip()


def is_good(stack: Stack, secret: str) -> bool:
    return Api(stack.url, secret).call("GET", "/users/me/permanenttokens/current").status_code == 200


@pytest.fixture(scope="module")
def services(stack: Stack) -> dict[str, str]:
    """The keys of services, by what their policy does with what is used again."""
    made = {}
    for policy in POLICIES:
        key = f"cut{next(_numbers)}"
        stack.administrator().post("/services", {"key": key, "name": key})
        stack.administrator().post(f"/services/{key}/policy", {"reused": policy})
        made[policy] = key
    return made


@pytest.fixture(scope="module")
def proxy(stack: Stack) -> Iterator[CuttingProxy]:
    with CuttingProxy(stack.url) as proxy:
        yield proxy


@dataclass
class Making:
    """Makes holders of new tokens."""

    stack: Stack
    address: str
    services: dict[str, str]
    folder: Path

    def holder(self, where: Where, grace: str, policy: str) -> Holder:
        folder = self.folder / str(next(_numbers))
        folder.mkdir()
        body = {"name": f"cut {next(_numbers)}", "scope": [{"key": self.services[policy]}]}
        made = self.stack.administrator().post("/users/me/permanenttokens", body)
        return Holder(self.stack, self.address, folder, where, grace, made["token"])


@pytest.fixture
def making(stack: Stack, services: dict[str, str], proxy: CuttingProxy, tmp_path: Path) -> Making:
    proxy.begin({})
    return Making(stack, proxy.url, services, tmp_path)


def turn(things: list[Any], situation: tuple[Where, str, str], gate: int = 1) -> list[Any]:
    """As many as there is time for; in the gate, others in each situation, evenly over all."""
    count = min(len(things), budget(gate, len(things)))
    first = SITUATIONS.index(situation) * len(things) // len(SITUATIONS)
    return [things[(first + number * len(things) // count) % len(things)] for number in range(count)]


KILLS = (Fault.KILLED_AFTER, Fault.KILLED_BEFORE)
STOPS = (Fault.KILLED_AFTER, Fault.FULL, Fault.KILLED_BEFORE, Fault.ENDED)


def requests(where: Where, grace: str, policy: str) -> int:
    """How many a rotation makes that nothing disturbs: it is asked for, and perhaps taken back."""
    return 2 if where.fails and grace != "0" else 1


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_a_connection_is_lost(making: Making, proxy: CuttingProxy, situation: tuple[Where, str, str]) -> None:
    cuts = [(at, cut, times) for times in (1, FOREVER, 2) for cut in Cut for at in range(requests(*situation))]
    for at, cut, times in turn(cuts, situation):
        holder = making.holder(*situation)
        proxy.begin({at + later: cut for later in range(times)})
        outcome = holder.rotate()
        assert proxy.number > at, outcome
        proxy.begin({})
        holder.check(outcome)


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_the_program_is_stopped_at_a_step(
    making: Making, proxy: CuttingProxy, situation: tuple[Where, str, str]
) -> None:
    where, grace, _ = situation
    outcome = making.holder(*situation).rotate()
    assert proxy.number == requests(*situation)
    assert outcome.code == (0 if not where.fails else 6 if grace == "0" else 5), outcome
    faults = [(fault, at) for at in range(outcome.steps) for fault in STOPS]
    for fault, at in turn(faults, situation):
        holder = making.holder(*situation)
        outcome = holder.rotate(fault, at)
        assert outcome.killed is (fault in KILLS), (fault, at, outcome)
        assert outcome.steps > at
        holder.check(outcome)


def test_an_answer_that_was_lost_is_no_use_of_a_secret_that_has_ended(
    making: Making, proxy: CuttingProxy, stack: Stack
) -> None:
    """As it was seen: without grace, and where a use after the end deletes the token."""
    holder = making.holder(Where.FILE, "0", "revoke")
    proxy.begin({0: Cut.AFTER_REQUEST})
    outcome = holder.rotate()
    assert outcome.code == 0, outcome
    assert is_good(stack, holder.last())
    assert holder.last() != holder.old


def test_what_is_not_known_is_said(making: Making, proxy: CuttingProxy) -> None:
    holder = making.holder(Where.FILE, "1h", "flag")
    proxy.begin(dict.fromkeys(range(FOREVER), Cut.AFTER_REQUEST))
    outcome = holder.rotate()
    proxy.begin({})
    assert outcome.code == 4
    for words in ("not known", f"still in {holder.file}", "for 1 h at least", f"waits in {holder.file}.new", "again"):
        assert words in outcome.stderr, outcome.stderr
    (waiting,) = holder.waiting()
    assert holder.file.read_text().strip() == holder.old
    assert is_good(holder.stack, waiting)


def test_a_server_that_is_gone_leaves_the_file_as_it_was(making: Making, tmp_path: Path) -> None:
    making.address = "http://127.0.0.1:9"
    holder = making.holder(Where.FILE, "0", "revoke")
    outcome = holder.rotate()
    assert (outcome.code, "Nothing was changed" in outcome.stderr) == (4, True), outcome
    assert (holder.file.read_text().strip(), holder.waiting()) == (holder.old, [])


@pytest.mark.skipif(sys.platform != "linux", reason="the full device is Linux's")
def test_what_cannot_be_printed_waits(making: Making) -> None:
    holder = making.holder(Where.PRINTED, "0", "revoke")
    arguments = ["token", "rotate", "--grace", "0"]
    outcome = run(arguments, holder.environment, holder.folder, stdout=Path("/dev/full"))
    assert (outcome.code, "waits in" in outcome.stderr) == (6, True), outcome
    holder.check(outcome)


class TestCreation:
    """A token is made: whatever went wrong, the same command makes one token, and its secret is there."""

    def make(
        self,
        making: Making,
        folder: Path,
        name: str,
        to_file: bool,
        fault: Fault = Fault.NONE,
        at: int = -1,
        more: tuple[str, ...] = ("--expires", "9d"),
    ) -> Outcome:
        where = ["--write", str(folder / "token")] if to_file else []
        known = {
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "KEYTURN_ADDRESS": making.address,
            "KEYTURN_TOKEN": making.stack.secrets.read("administrator") or "",
        }
        arguments = ["token", "create", name, "-s", making.services["flag"], *more, *where]
        return run(arguments, known, folder, fault, at)

    def check(self, making: Making, folder: Path, name: str, to_file: bool, outcome: Outcome) -> None:
        """What a run has handed over is good; after one that has not, the same command does."""
        assert "Traceback" not in outcome.stderr
        file = folder / "token"
        printed = outcome.stdout.strip()
        if not (file.exists() if to_file else printed):
            again = self.make(making, folder, name, to_file)
            assert again.code == 0, (outcome, again)
            printed = again.stdout.strip()
        assert is_good(making.stack, file.read_text().strip() if to_file else printed), outcome
        tokens = making.stack.administrator().get("/users/me/permanenttokens?fields=name&$top=100&query=" + name)
        assert [each["name"] for each in tokens["permanenttokens"]] == [name]

    @pytest.mark.parametrize("to_file", [True, False], ids=["file", "printed"])
    def test_it_is_cut_off(self, making: Making, proxy: CuttingProxy, tmp_path: Path, to_file: bool) -> None:
        whole = tmp_path / "whole"
        whole.mkdir()
        outcome = self.make(making, whole, f"made{next(_numbers)}", to_file)
        faults: list[Any] = [(at, cut, times) for times in (1, FOREVER) for cut in Cut for at in range(proxy.number)]
        faults += [(fault, at) for at in range(outcome.steps) for fault in STOPS]
        for each in turn(faults, SITUATIONS[to_file * 10], gate=8):
            folder, name = tmp_path / f"made{next(_numbers)}", f"made{next(_numbers)}"
            folder.mkdir()
            if isinstance(each[0], Fault):
                outcome = self.make(making, folder, name, to_file, *each)
                assert outcome.killed is (each[0] in KILLS), (each, outcome)
                assert outcome.steps > each[1], (each, outcome)
            else:
                proxy.begin({each[0] + later: each[1] for later in range(each[2])})
                outcome = self.make(making, folder, name, to_file)
                assert proxy.number > each[0], (each, outcome)
                proxy.begin({})
            self.check(making, folder, name, to_file, outcome)

    def test_what_was_made_by_another_command_is_not_given_as_this_ones(
        self, making: Making, proxy: CuttingProxy, tmp_path: Path
    ) -> None:
        name, life = f"made{next(_numbers)}", ("--expires", "9d")
        proxy.begin(dict.fromkeys(range(FOREVER), Cut.AFTER_REQUEST))
        assert self.make(making, tmp_path, name, True, more=(*life, "-l", "one")).code == 4
        proxy.begin({})
        more = (*life, "-s", making.services["revoke"], "-n", "192.0.2.0/24")
        outcome = self.make(making, tmp_path, name, True, more=more)
        assert (outcome.code, "another --scope, --label, --network." in outcome.stderr) == (6, True), outcome
        outcome = self.make(making, tmp_path, name, True, more=("-l", "one", "--expires", "90d"))
        assert (outcome.code, "another --expires." in outcome.stderr) == (6, True), outcome
        assert not (tmp_path / "token").exists()
        outcome = self.make(making, tmp_path, name, True, more=(*life, "-l", "one"))
        assert (outcome.code, is_good(making.stack, (tmp_path / "token").read_text().strip())) == (0, True), outcome

    def test_a_name_that_somebody_else_took_is_refused_and_nothing_waits(self, making: Making, tmp_path: Path) -> None:
        name = f"taken{next(_numbers)}"
        body = {"name": name, "scope": [{"key": making.services["flag"]}]}
        making.stack.administrator().post("/users/me/permanenttokens", body)
        outcome = self.make(making, tmp_path, name, True)
        assert (outcome.code, "already" in outcome.stderr) == (1, True)
        assert not list(tmp_path.glob("token*"))
