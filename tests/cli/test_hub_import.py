"""Moving from a Hub to a real Keyturn: everything once, nothing twice, no secret, and nothing lost without a word."""

from __future__ import annotations

import email
import email.policy
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from keyturn_cli.hub.letters import letter
from keyturn_cli.hub.moving import Moved

from embedded.api import Api
from embedded.stack import Stack
from tests.cli.conftest import Terminal
from tests.cli.hub import TOKEN, Hub

COUNTS = {
    "services": {"made": 2},
    "groups": {"made": 2},
    "accounts": {"made": 3, "refused": 1},
    "bans": {"made": 1},
    "memberships": {"made": 2},
    "tokens": {"made": 3, "refused": 1},
}


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Nothing has been moved to it, unless a test wants that."""
    with Stack(tmp_path_factory.mktemp("hub")) as stack:
        stack.administrator()
        yield stack


@pytest.fixture(scope="module")
def moved(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Move]:
    """Another one, to which everything was moved."""
    folder = tmp_path_factory.mktemp("moved")
    with Stack(folder / "stack") as stack:
        api = stack.administrator()
        terminal = Terminal(stack, folder, stack.secrets.read("administrator"))
        letters = ("--letters", str(folder / "letters"), "--sender", "it@example.com")
        yield Move(terminal, api, folder / "letters", *move(terminal, hub, *letters))


@dataclass(frozen=True)
class Move:
    """Where something was moved to, and what the command told."""

    terminal: Terminal
    api: Api
    letters: Path
    code: int
    counts: dict[str, Any]
    said: str


def move(terminal: Terminal, hub: Hub, *options: str, token: str = TOKEN) -> Any:
    """The command's exit code, its table by rows, and what it said."""
    arguments = ("--json", "hub-import", "--from", hub.url, "--bots", "Robots", *options)
    finished = terminal.run(*arguments, HUB_TOKEN=token)
    rows = json.loads(finished.stdout) if finished.stdout else []
    return finished.returncode, {row.pop("what"): row for row in rows}, finished.stderr


def state(api: Api) -> Any:
    """Everything that a move makes."""
    about = "login,name,type,banned,banReason,owner(name),profile(email(email)),groups(name)"
    accounts = api.get(f"/users?fields={about}")["users"]
    fields = "name,description,labels,scope(key)"
    return {
        "services": api.get("/services?fields=key,name,homeUrl,redirectUris,vendor,trusted")["services"],
        "groups": api.get("/usergroups?fields=name,parent(name),requiredTwoFactorAuthentication")["usergroups"],
        "accounts": {each["login"]: each for each in accounts},
        "tokens": {
            each["login"]: api.get(f"/users/{each['login']}/permanenttokens?fields={fields}")["permanenttokens"]
            for each in accounts
        },
    }


def test_everything_is_there_afterwards(moved: Move) -> None:
    assert moved.counts == COUNTS, moved.said
    found = state(moved.api)
    services = {each["key"]: each for each in found["services"]}
    assert services["Build-Test"]["name"] == "Build & Test"
    assert services["Build-Test"]["redirectUris"] == ["https://ci.example.com/back"]
    assert services["wiki"]["trusted"] is True
    groups = {each["name"]: each for each in found["groups"]}
    assert groups["Builders"]["requiredTwoFactorAuthentication"] is True
    assert groups["Robots"]["parent"]["name"] == "Builders"
    assert "All Users" not in groups
    jane, bot, mallory = (found["accounts"][login] for login in ("jane", "deploy-bot", "mallory"))
    assert jane["profile"]["email"]["email"] == "jane@example.com"
    assert (jane["type"], bot["type"]) == ("user", "bot")
    assert [group["name"] for group in bot["groups"]] == ["Robots"]
    assert bot["owner"]["name"] == "Jane Doe"
    assert (mallory["banned"], mallory["banReason"]) == (True, "left")
    assert "guest" not in found["accounts"]
    [laptop] = found["tokens"]["jane"]
    assert {each["key"] for each in laptop["scope"]} == {"keyturn", "Build-Test"}
    assert laptop["labels"] == ["hub=t-1"]
    assert laptop["description"].startswith("From Hub, made there 2020-09-13")
    of_bot = {each["name"]: each["labels"] for each in found["tokens"]["deploy-bot"]}
    assert of_bot == {"nightly": ["hub=t-2"], "nightly (2)": ["hub=t-3"]}


def test_what_cannot_be_moved_is_named(moved: Move, hub: Hub) -> None:
    assert moved.code == 6  # one account has a login that Keyturn does not take
    assert "2 could not be moved; the rest was." in moved.said
    finished = moved.terminal.run("hub-import", "--from", hub.url, HUB_TOKEN=TOKEN)
    assert "account two words: login" in finished.stderr
    assert "token lost of two words: there is no such account." in finished.stderr


def test_a_second_run_changes_nothing(moved: Move, hub: Hub) -> None:
    before = state(moved.api)
    _, counts, _ = move(moved.terminal, hub)
    assert {kind: row.get("made", 0) for kind, row in counts.items()} == dict.fromkeys(counts, 0)
    assert state(moved.api) == before
    _, counts, _ = move(moved.terminal, hub, "--dry-run")
    assert counts["tokens"] == {"there already": 3, "made": 1}  # the one that is refused each time


def test_what_was_changed_in_keyturn_stays(moved: Move, hub: Hub) -> None:
    moved.api.post("/users/mallory", {"name": "Mal"})
    moved.api.post("/services/wiki", {"name": "Encyclopedia"})
    move(moved.terminal, hub)
    found = state(moved.api)
    assert found["accounts"]["mallory"]["name"] == "Mal"
    assert "Encyclopedia" in {each["name"] for each in found["services"]}


def test_what_is_inside_of_a_group_that_was_refused_is_not_made_outside(
    moved: Move, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its members would be rid of what the parent demands. This parent's name has the form of an id."""
    parent = {"id": "g-3", "name": "Developers20", "requiredTwoFactorAuthentication": True}
    inside = [{"id": "g-4", "name": "Inside", "parent": {"id": "g-3"}}, {"id": "g-5", "name": "Innermost"}]
    inside[1]["parent"] = {"id": "g-4"}
    monkeypatch.setitem(hub.holdings, "usergroups", [*hub.holdings["usergroups"], parent, *inside])
    _, counts, _ = move(moved.terminal, hub)
    assert counts["groups"]["refused"] == 3
    assert not {"Developers20", "Inside", "Innermost"} & {each["name"] for each in state(moved.api)["groups"]}


def test_hub_is_only_read(moved: Move, hub: Hub) -> None:
    assert moved.counts
    assert {method for method, _ in hub.asked} == {"GET"}


def test_owners_are_told_to_rotate(moved: Move) -> None:
    [path] = moved.letters.iterdir()  # Jane made the bot's tokens too
    letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert (letter["To"], letter["From"]) == ("jane@example.com", "it@example.com")
    text = letter.get_content()
    assert "laptop (jane) for Hub, Build & Test; never used" in text
    assert "nightly (deploy-bot) for Build & Test; last used 2026-" in text
    assert "nightly (2) (deploy-bot) for Build & Test" in text
    assert f"keyturn --address {moved.terminal.stack.url} token rotate nightly --user deploy-bot" in text


def test_a_name_cannot_hide_a_command_in_a_letter() -> None:
    hostile = Moved("bot", "jane", "jane@example.com\nBcc: x@example.com", "a'$(reboot)", ["ci"], None)
    text = letter("https://keyturn.example.com", None, "jane", [hostile])
    assert text["Bcc"] is None
    [command] = [line for line in text.get_content().splitlines() if "token rotate" in line]
    assert shlex.split(command)[5] == "a'$(reboot)"


def test_letters_that_cannot_be_written_are_a_problem_and_not_a_trace(moved: Move, hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    asked = len(hub.asked)
    code, _, said = move(moved.terminal, hub, "--letters", str(tmp_path / "file" / "letters"))
    assert code == 1
    assert "letters cannot be made" in said
    assert len(hub.asked) == asked  # it is seen before
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("collection", "members", "problem"),
    [
        ("services", None, "does not answer with services"),
        ("users", [{"id": "u-9"}], "does not tell the login of all users"),
        ("usergroups", [{"name": "G"}], "does not tell the id of all usergroups"),
    ],
)
def test_a_hub_that_leaves_something_out_is_a_problem_and_not_a_trace(
    terminal: Terminal, collection: str, members: Any, problem: str
) -> None:
    hub = Hub()
    hub.holdings[collection] = members if members is not None else "nothing"  # type: ignore[assignment]
    finished = terminal.run("hub-import", "--from", hub.url, HUB_TOKEN=TOKEN)
    hub.close()
    assert finished.returncode in (1, 4)
    assert problem in " ".join(finished.stderr.split())


def test_no_secret_is_shown_or_written(moved: Move) -> None:
    written = "".join(path.read_text() for path in moved.letters.iterdir())
    assert "ktp_" not in moved.said + written
    assert TOKEN not in moved.said + written


def test_a_moved_token_works_once_it_is_rotated(moved: Move) -> None:
    rotated = moved.terminal.run("token", "rotate", "laptop", "--user", "jane", "--grace", "0")
    assert rotated.returncode == 0, rotated.stderr
    held = Api(moved.terminal.stack.url, rotated.stdout.strip())
    assert held.get("/users/me?fields=login")["login"] == "jane"


def test_a_dry_run_says_what_there_is_to_do_and_does_nothing(terminal: Terminal, hub: Hub, api: Api) -> None:
    before = state(api)
    code, counts, _ = move(terminal, hub, "--dry-run")
    assert code == 0
    refused = {"accounts": 1, "tokens": 1}  # which is not known yet
    assert {kind: row["made"] for kind, row in counts.items()} == {
        kind: row["made"] + refused.get(kind, 0) for kind, row in COUNTS.items()
    }
    assert state(api) == before


@pytest.mark.parametrize(
    ("environment", "options", "problem"),
    [
        ({}, (), "Set HUB_TOKEN"),
        ({"HUB_TOKEN": "perm:wrong"}, (), "Who is that?"),
        ({"HUB_TOKEN": TOKEN}, ("--bots", "Nobody"), "the Hub has no group Nobody"),
    ],
)
def test_a_wrong_command_changes_nothing(
    terminal: Terminal, hub: Hub, api: Api, environment: dict[str, str], options: tuple[str, ...], problem: str
) -> None:
    before = state(api)
    finished = terminal.run("hub-import", "--from", hub.url, *options, **environment)
    assert finished.returncode in (1, 3)
    assert problem in finished.stderr
    assert state(api) == before


def test_a_ban_that_a_run_did_not_come_to_is_made_up_for(terminal: Terminal, hub: Hub, api: Api) -> None:
    api.post("/users", {"login": "Mallory", "name": "Mallory"})
    _, counts, _ = move(terminal, hub)
    assert counts["bans"] == {"made": 1}
    assert state(api)["accounts"]["Mallory"]["banned"] is True
