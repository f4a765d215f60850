"""Accounts are found by everything that they can be searched for, whatever was done to them before.

Every search is compared with what a look at all accounts says.
"""

from __future__ import annotations

import itertools
from typing import Any
from unittest.mock import patch

import pytest

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Forbidden, Invalid
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import parse
from chalicelib.core.directory.accounts import OWNERLESS, AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.storage import account_search
from chalicelib.storage.engine import keys
from chalicelib.storage.items import IndexEntryItem
from tests import tables
from tests.conftest import Scene

FIELDS, TRAITS, SORTABLE = ("login", "name", "group", "owner"), ("banned", "bot", "ownerless"), ("login", "name")


@pytest.fixture(scope="module")
def first_crowd() -> list[dict[str, Any]]:
    """What the first one stored: later ones are copies."""
    return []


@pytest.fixture
def crowd(scene: Scene, first_crowd: list[dict[str, Any]]) -> Scene:
    """A dozen accounts of every kind, some changed since they were created."""
    if first_crowd:
        tables.fill(first_crowd)
    else:
        gather(scene)
        first_crowd += tables.copy()
    return scene


def gather(scene: Scene) -> None:
    """Make the accounts, and change them."""
    by, accounts, groups = scene.caller(), scene.product.accounts, scene.product.groups
    groups.create(by, GroupDescription("developers"))
    accounts.create(by, "jo", "Jo Doe", AccountType.USER)
    for number in range(4):
        accounts.create(by, f"user-{number}", f"Zoe {number}", AccountType.USER)
        bot = accounts.create(by, f"bot-{number}", f"Robot {number}", AccountType.BOT, "jo" if number % 2 else None)
        groups.add_member(by, "developers", bot.id)
    accounts.update(by, "bot-0", AccountChange(owner=OWNERLESS))
    accounts.update(by, "bot-1", AccountChange(banned=True, name="Android"))
    accounts.update(by, "bot-2", AccountChange(login="a-bot", owner="developers"))
    accounts.update(by, "user-0", AccountChange(banned=True))
    accounts.update(by, "user-1", AccountChange(banned=True))
    accounts.update(by, "user-1", AccountChange(banned=False, name="zoe lowercase"))
    accounts.delete(by, "user-2")


def everybody(scene: Scene) -> list[User]:
    return list(scene.product.accounts.page(scene.caller(), Window()).items)


def search(scene: Scene, query: str, order: str = "", window: Window | None = None) -> list[str]:
    page = scene.product.accounts.page(
        scene.caller(), window or Window(), parse(query, order, FIELDS, TRAITS, SORTABLE)
    )
    found = [user.login for user in page.items]
    if window is None:
        assert page.total == len(found)
    return found


class Known:
    """What there is, asked once: what fulfils a search is found in it by the same words, in Python."""

    def __init__(self, scene: Scene) -> None:
        members = {user.id for user in scene.product.groups.members(scene.caller(), "developers", Window()).items}
        jo = scene.product.accounts.find(scene.caller(), "jo", Operation.READ_USER).id
        self._everybody = everybody(scene)
        self._rules = {
            "is: bot": lambda user: user.type is AccountType.BOT,
            "is: banned": lambda user: user.banned,
            "is: ownerless": lambda user: user.type is AccountType.BOT and user.owner is None,
            "group: developers": lambda user: user.id in members,
            "owner: jo": lambda user: user.owner is not None and user.owner.id == jo,
            "login: bot*": lambda user: user.login.startswith("bot"),
            "name: z*": lambda user: user.name.casefold().startswith("z"),
            "login: bot-3": lambda user: user.login == "bot-3",
            "name: {robot 3}": lambda user: user.name == "Robot 3",
            "a": lambda user: user.login.startswith("a") or user.name.casefold().startswith("a"),
        }

    def expected(self, query: str) -> set[str]:
        terms = [self._rules[term] for term in query.split(" and ") if term]
        return {user.login for user in self._everybody if all(rule(user) for rule in terms)}


TERMS = [
    "is: bot",
    "is: banned",
    "is: ownerless",
    "group: developers",
    "owner: jo",
    "login: bot*",
    "name: z*",
    "login: bot-3",
    "name: {robot 3}",
    "a",
]


def test_every_pair_of_conditions_finds_what_fulfils_both(crowd: Scene) -> None:
    known, found_anything = Known(crowd), 0
    for pair in [("",), *((term,) for term in TERMS), *itertools.combinations(TERMS, 2)]:
        fields = [term.partition(":")[0] for term in pair if ":" in term and not term.startswith("is:")]
        if len(set(fields)) < len(fields):
            continue  # which is refused
        query = " and ".join(pair)
        wanted = known.expected(query)
        for order in ("", "login:asc", "login:desc", "name:asc", "name:desc,login:asc"):
            found = search(crowd, query, order)
            assert set(found) == wanted, (query, order)
            found_anything += bool(found)
    assert found_anything > 50


@pytest.mark.parametrize("order", ["login", "name"])
def test_orders_are_kept_in_both_directions(crowd: Scene, order: str) -> None:
    upwards = search(crowd, "", f"{order}:asc")
    assert search(crowd, "", f"{order}:desc") == upwards[::-1]
    key = {user.login: getattr(user, order).casefold() for user in everybody(crowd)}
    assert [key[login] for login in upwards] == sorted(key.values())


@pytest.mark.parametrize("query", ["", "is: bot", "login: b*", "name: r*", "is: bot and name: r*", "group: developers"])
def test_windows_add_up_to_the_whole(crowd: Scene, query: str) -> None:
    whole = search(crowd, query)
    parts = [search(crowd, query, window=Window(skip, 2)) for skip in range(0, 14, 2)]
    assert list(itertools.chain(*parts)) == whole


def test_what_equals_the_text_comes_first(crowd: Scene) -> None:
    crowd.product.accounts.create(crowd.caller(), "bot", "Bot", AccountType.BOT)
    assert search(crowd, "login: bot*")[0] == "bot"


def test_who_asks_for_one_gets_no_other(crowd: Scene) -> None:
    """Scripts for Hub take the first that they get for the one that they named."""
    assert search(crowd, "login: bot") == search(crowd, "name: Robot") == []
    assert search(crowd, "login: BOT-3") == search(crowd, "name: {robot 3}") == ["bot-3"]
    assert search(crowd, "login: bot-3 and is: bot") == ["bot-3"]
    assert search(crowd, "login: bot-3 and is: banned") == []
    assert search(crowd, "login: bot-3 and name: {Robot 3}", "name:desc") == ["bot-3"]


def test_a_bot_is_ownerless_when_its_owner_is_gone(crowd: Scene) -> None:
    by, accounts = crowd.caller(), crowd.product.accounts
    crowd.product.roles.grant(by, "jo", SYSTEM_ADMIN)
    own = crowd.product.permanent_tokens.create(by, "jo", "api", ["keyturn"])
    token = crowd.product.permanent_tokens.create(crowd.caller(own.secret), "bot-3", "deploy", ["ci"])
    accounts.delete(by, "jo")
    assert {"bot-1", "bot-3"} <= set(search(crowd, "is: ownerless"))
    crowd.product.groups.delete(by, "developers")
    assert "a-bot" in search(crowd, "is: ownerless")
    assert crowd.is_good(token.secret)
    assert crowd.product.permanent_tokens.page(by, "bot-3", Window()).items[0].token.author_name == "Jo Doe"


def test_deleting_accounts_leaves_no_count_behind(crowd: Scene) -> None:
    by, accounts = crowd.caller(), crowd.product.accounts
    for user in everybody(crowd):
        if user.login != "admin":
            accounts.delete(by, user.id)
    for query in ("", "is: bot", "is: banned", "is: ownerless", "group: developers"):
        search(crowd, query)


def test_a_search_that_would_look_at_too_much_is_refused(crowd: Scene) -> None:
    with patch.object(account_search, "MAX_COLLECTED", 3):
        assert search(crowd, "is: bot and is: banned") == ["bot-1"]
        with pytest.raises(Invalid) as refused:
            search(crowd, "is: bot", "name:asc")
        assert refused.value.field == "query"
        assert len(search(crowd, "is: bot")) == 5


@pytest.mark.parametrize("query", ["group: nothing", "owner: build-bot", "owner: nobody"])
def test_what_does_not_exist_is_named(crowd: Scene, query: str) -> None:
    with pytest.raises(Invalid) as refused:
        search(crowd, query)
    assert refused.value.field == "query"


def test_who_may_not_read_groups_cannot_search_by_them(crowd: Scene) -> None:
    from chalicelib.core.access.permissions import READ_USER

    crowd.product.roles.create(crowd.caller(), "reader", "Reader", [READ_USER])
    crowd.product.roles.grant(crowd.caller(), "build-bot", "reader")
    token = crowd.product.permanent_tokens.create(crowd.caller(), "build-bot", "api", ["keyturn"])
    reader = crowd.caller(token.secret)
    with pytest.raises(Forbidden):
        crowd.product.accounts.page(reader, Window(), parse("group: developers", "", FIELDS, TRAITS, SORTABLE))


LONGEST = "\u0390" * 200  # each becomes three characters when case does not matter


def test_the_longest_names_are_kept_and_found(scene: Scene) -> None:
    by, accounts = scene.caller(), scene.product.accounts
    accounts.create(by, "x" * 64, LONGEST, AccountType.USER)
    assert search(scene, f"name: {LONGEST}") == ["x" * 64]
    scene.product.groups.create(by, GroupDescription(LONGEST))
    accounts.create(by, "bot", "Bot", AccountType.BOT, LONGEST)
    assert search(scene, f"owner: {LONGEST}") == ["bot"]
    assert search(scene, f"group: {LONGEST}") == []


@pytest.mark.parametrize("field", ["login: ", "name: ", ""])
def test_a_search_for_more_than_a_key_can_hold_finds_nothing(scene: Scene, field: str) -> None:
    assert search(scene, field + "\U0001f600" * 490) == []
    assert search(scene, field + "\U0001f600" * 490 + "*") == []


def test_no_group_has_a_name_that_cannot_be_one(scene: Scene) -> None:
    for reference in ("x" * 5_000, "\x00", " "):
        with pytest.raises(Invalid):
            scene.product.accounts.create(scene.caller(), "bot", "Bot", AccountType.BOT, reference)


def test_an_account_that_is_older_than_the_search_is_found_after_its_next_change(scene: Scene) -> None:
    pk, _ = keys.user(scene.bot.id)
    for entry in IndexEntryItem.query(pk, IndexEntryItem.sk.startswith("ENTRY#")):
        entry.delete()
    scene.product.accounts.update(scene.caller(), "build-bot", AccountChange(name="Renamed"))
    assert search(scene, "name: Renamed") == ["build-bot"]
