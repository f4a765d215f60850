"""Moving from a Hub to a real Keyturn: everything once, nothing twice, no secret, and nothing lost without a word."""

from __future__ import annotations

import email
import email.policy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

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


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    yield hub
    hub.close()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """One of its own for each test."""
    with Stack(tmp_path / "stack") as stack:
        stack.administrator()
        yield stack


def move(terminal: Terminal, hub: Hub, *options: str, token: str = TOKEN) -> Any:
    """The command's exit code, its table by rows, and what it said."""
    arguments = ("--json", "hub-import", "--from", hub.url, "--bots", "Robots", *options)
    finished = terminal.run(*arguments, HUB_TOKEN=token)
    rows = json.loads(finished.stdout) if finished.stdout else []
    return finished.returncode, {row.pop("what"): row for row in rows}, finished.stderr


def state(api: Api) -> Any:
    """Everything that a move makes."""
    accounts = api.get("/users?fields=login,name,type,banned,banReason,profile(email(email)),groups(name)")["users"]
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


def test_everything_is_there_afterwards(terminal: Terminal, hub: Hub, api: Api) -> None:
    code, counts, said = move(terminal, hub)
    assert counts == COUNTS, said
    assert code == 6  # one account has a login that Keyturn does not take
    found = state(api)
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
    assert (mallory["banned"], mallory["banReason"]) == (True, "left")
    assert "guest" not in found["accounts"]
    [laptop] = found["tokens"]["jane"]
    assert {each["key"] for each in laptop["scope"]} == {"keyturn", "Build-Test"}
    assert laptop["labels"] == ["hub=t-1"]
    assert laptop["description"].startswith("From Hub, made there 2020-09-13")
    of_bot = {each["name"]: each["labels"] for each in found["tokens"]["deploy-bot"]}
    assert of_bot == {"nightly": ["hub=t-2"], "nightly (2)": ["hub=t-3"]}


def test_what_cannot_be_moved_is_named(terminal: Terminal, hub: Hub) -> None:
    code, _, said = move(terminal, hub)
    assert code == 6
    assert "2 could not be moved; the rest was." in said
    finished = terminal.run("hub-import", "--from", hub.url, HUB_TOKEN=TOKEN)
    assert "account two words: login" in finished.stderr
    assert "token lost of two words: there is no such account." in finished.stderr


def test_a_second_run_changes_nothing(terminal: Terminal, hub: Hub, api: Api) -> None:
    move(terminal, hub)
    before = state(api)
    _, counts, _ = move(terminal, hub)
    assert {kind: row.get("made", 0) for kind, row in counts.items()} == dict.fromkeys(counts, 0)
    assert state(api) == before


def test_what_was_changed_in_keyturn_stays(terminal: Terminal, hub: Hub, api: Api) -> None:
    move(terminal, hub)
    api.post("/users/jane", {"name": "Jane Roe"})
    api.post("/services/wiki", {"name": "Encyclopedia"})
    move(terminal, hub)
    found = state(api)
    assert found["accounts"]["jane"]["name"] == "Jane Roe"
    assert "Encyclopedia" in {each["name"] for each in found["services"]}


def test_a_ban_that_a_run_did_not_come_to_is_made_up_for(terminal: Terminal, hub: Hub, api: Api) -> None:
    api.post("/users", {"login": "Mallory", "name": "Mallory"})
    _, counts, _ = move(terminal, hub)
    assert counts["bans"] == {"made": 1}
    assert state(api)["accounts"]["Mallory"]["banned"] is True


def test_a_dry_run_says_what_there_is_to_do_and_does_nothing(terminal: Terminal, hub: Hub, api: Api) -> None:
    before = state(api)
    code, counts, _ = move(terminal, hub, "--dry-run")
    assert code == 0
    assert counts["services"] == {"made": 2}
    assert counts["tokens"] == {"made": 4}  # what Keyturn would refuse is not known yet
    assert state(api) == before
    move(terminal, hub)
    _, counts, _ = move(terminal, hub, "--dry-run")
    assert counts["tokens"] == {"there already": 3, "made": 1}


def test_hub_is_only_read(terminal: Terminal, hub: Hub) -> None:
    move(terminal, hub)
    assert {method for method, _ in hub.asked} == {"GET"}


def test_owners_are_told_to_rotate(terminal: Terminal, hub: Hub, stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    move(terminal, hub, "--letters", str(folder), "--sender", "it@example.com")
    [path] = folder.iterdir()  # Jane made the bot's tokens too
    letter = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert (letter["To"], letter["From"]) == ("jane@example.com", "it@example.com")
    text = letter.get_content()
    assert "laptop (jane) for Hub, Build & Test; never used" in text
    assert "nightly (deploy-bot) for Build & Test; last used 2026-" in text
    assert "nightly (2) (deploy-bot) for Build & Test" in text
    assert f"keyturn --address {stack.url} token rotate 'nightly' --user deploy-bot" in text


def test_a_moved_token_works_once_it_is_rotated(terminal: Terminal, hub: Hub, api: Api, stack: Stack) -> None:
    move(terminal, hub)
    secret = api.post("/services/wiki/secret", {})["secret"]
    assert secret
    rotated = terminal.run("token", "rotate", "laptop", "--user", "jane", "--grace", "0")
    assert rotated.returncode == 0, rotated.stderr
    held = Api(stack.url, rotated.stdout.strip())
    assert held.get("/users/me?fields=login")["login"] == "jane"


def test_no_secret_is_shown_or_written(terminal: Terminal, hub: Hub, tmp_path: Path) -> None:
    finished = terminal.run("hub-import", "--from", hub.url, "--letters", str(tmp_path / "l"), HUB_TOKEN=TOKEN)
    written = "".join(path.read_text() for path in (tmp_path / "l").iterdir())
    assert "ktp_" not in finished.stdout + finished.stderr + written
    assert TOKEN not in finished.stdout + finished.stderr + written


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
