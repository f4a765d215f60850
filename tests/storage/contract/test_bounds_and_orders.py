"""Pages of whole collections: every window in every order is what a sorted list would show, ties too; and no request
looks at more than it may.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.access.account import AccountType, Owner, OwnerKind, User
from chalicelib.core.access.role import Grant
from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import MAX_COLLECTED, Order, Search, select
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.login.session import Session
from chalicelib.core.stores import Stores
from chalicelib.storage.stores import DynamoStores
from tests import tables
from tests.budgets import budget
from tests.engine import OwnDatabase
from tests.storage.contract import making
from tests.storage.contract.conftest import on_dynamodb
from tests.storage.contract.making import NOW, newer, record, stored_group, stored_user

NAMES = ("Straße", "STRASSE", "strasse b", "Zoë", "zoé", "Zo", "Änne", "anne", "\U0001f600", "a")
ALL = Window(0, 10_000)


@pytest.fixture
def crowd(empty_stores: Stores) -> tuple[Stores, list[User], str]:
    """Accounts whose names collide when case does not matter; every third is in the group that is named."""
    group = stored_group(empty_stores)
    owner = Owner(OwnerKind.USER, "owner")
    users = []
    for number, name in enumerate([*NAMES, *NAMES]):
        kind = AccountType.BOT if number % 2 else AccountType.USER
        owned = owner if number % 4 == 1 else None
        login = f"{'Ab'[number % 2]}{19 - number:02d}"
        user = stored_user(
            empty_stores, login=login, name=name, type=kind, owner=owned, banned=number % 5 == 0, created=NOW + number
        )
        if number % 3 == 0:
            empty_stores.groups.add_member(group, user, making.access_by(), record())
            user = newer(user, groups=frozenset({group.id}))
        users.append(user)
    return empty_stores, sorted(users, key=lambda each: each.login.lower()), group.id


def has(user: User, trait: str) -> bool:
    bot = user.type is AccountType.BOT
    return {"bot": bot, "banned": user.banned, "ownerless": bot and user.owner is None}[trait]


VALUES = st.sampled_from(["a*", "A19", "b*", "b18", "straße", "strasse*", "zo", "zo*", "ZOË", "\U0001f600*", "x", "*"])
ORDERS = st.sampled_from(
    [(), *[(Order(field, down),) for field in ("login", "name") for down in (False, True)]]
    + [(Order("name", down), Order("login", too)) for down in (False, True) for too in (False, True)]
)


def test_accounts_are_what_a_list_would_show(crowd: tuple[Stores, list[User], str]) -> None:
    stores, users, group = crowd

    @settings(max_examples=budget(gate=60, long=2_000))
    @given(
        terms=st.dictionaries(st.sampled_from(["login", "name"]), VALUES, max_size=2),
        text=st.none() | st.sampled_from(["a", "Zo", "STRASSE", "b1"]),
        traits=st.frozensets(st.sampled_from(["bot", "banned", "ownerless"])),
        order=ORDERS,
        narrow=st.tuples(st.sampled_from([None, group, "nothing"]), st.sampled_from([None, "owner"])),
        window=st.builds(Window, st.sampled_from([0, 1, 5, 40]), st.sampled_from([0, 1, 4, 100])),
    )
    def check(
        terms: dict[str, str],
        text: str | None,
        traits: frozenset[str],
        order: tuple[Order, ...],
        narrow: tuple[str | None, str | None],
        window: Window,
    ) -> None:
        search, (group_id, owner_id) = Search(text, terms, traits, order), narrow
        inside = [
            user
            for user in users
            if (group_id is None or group_id in user.groups)
            and (owner_id is None or (user.owner is not None and user.owner.id == owner_id))
            and all(has(user, trait) for trait in traits)
        ]
        wanted = select(inside, search, ("login", "name"))
        page = stores.accounts.page(window, search, group_id, owner_id)
        assert page.total == len(wanted)
        assert len(page.items) == len(wanted[window.skip : window.skip + window.top])
        whole = stores.accounts.page(ALL, search, group_id, owner_id).items
        assert list(page.items) == list(whole)[window.skip : window.skip + window.top]
        assert sorted(whole, key=lambda user: user.id) == sorted(wanted, key=lambda user: user.id)
        if order or "name" not in terms:
            assert is_sorted(whole, order or (Order("login"),))

    check()


def test_accounts_that_are_asked_for_by_name_alone_are_in_order_of_names(empty_stores: Stores) -> None:
    for login, name in (("c", "Aa"), ("a", "ab"), ("b", "AC")):
        stored_user(empty_stores, login=login, name=name)
    for search, logins in (
        (Search(terms={"name": "a*"}), "cab"),
        (Search(terms={"name": "a*"}, text="a"), "abc"),
        (Search(terms={"name": "a*"}, order=(Order("login", True),)), "cba"),
    ):
        page = empty_stores.accounts.page(ALL, search, None, None)
        assert [user.login for user in page.items] == list(logins)


def is_sorted(users: Sequence[User], orders: tuple[Order, ...]) -> bool:
    """By these fields; which of two that are equal in all of them comes first is left open."""
    by = list(users)
    for order in reversed(orders):
        by.sort(key=lambda user: str(getattr(user, order.field)).casefold(), reverse=order.descending)
    return [keys(user, orders) for user in by] == [keys(user, orders) for user in users]


def keys(user: User, orders: tuple[Order, ...]) -> list[str]:
    return [str(getattr(user, order.field)).casefold() for order in orders]


@pytest.mark.parametrize("kind", ["groups", "roles", "services"])
def test_directories_are_what_a_list_would_show(empty_stores: Stores, kind: str) -> None:
    make: Any = {"groups": making.group, "roles": making.role, "services": making.service}[kind]
    store: Any = getattr(empty_stores, kind)
    things = []
    for number in range(12):
        named = {"name": f"{'aBä'[number % 3]}{11 - number:02d}"}
        if kind != "groups":
            named = {"key": f"{'abc'[number % 3]}{11 - number:02d}", "name": NAMES[number % 4]}
        things.append(make(created=NOW + number % 5, **named))
        store.create(things[-1], *([None] if kind == "groups" else []), record())
    own = "name" if kind == "groups" else "key"
    things.sort(key=lambda thing: getattr(thing, own).casefold())
    orders = [(), (Order(own),), (Order(own, True),), (Order("name"), Order(own, True)), (Order("creationTime", True),)]
    searches = [{}, {"text": "A"}, {"text": "strasse"}, {"terms": {"name": "b*"}}, {"terms": {own: "A11"}}]
    fields = ("name",) if kind == "groups" else ("key", "name")
    for order, search, (skip, top) in itertools.product(orders, searches, [(0, 100), (0, 0), (3, 4), (50, 1)]):
        wanted = select(things, Search(order=order, **search), fields)  # type: ignore[arg-type]
        page = store.page(Window(skip, top), Search(order=order, **search))
        assert (list(page.items), page.total) == (wanted[skip : skip + top], len(wanted)), (order, search, skip)


class TestMoreThanMayBeLookedAt:
    """A thousand at most where nothing keeps them in the wanted order; all of them, where something does. Only a
    database has such bounds.
    """

    @pytest.fixture
    def many(self, database: OwnDatabase) -> Iterator[Stores]:
        with on_dynamodb(database):
            stores = DynamoStores()
            stores.accounts.create(making.bot(login="b0000", name="Bot"), [], record())
            of_first = [item for item in tables.copy() if item["pk"]["S"].startswith("USER#")]
            tables.fill([of_another(item, number) for item in of_first for number in range(1, MAX_COLLECTED + 1)])
            yield stores

    def test_is_refused(self, many: Stores) -> None:
        page = many.accounts.page
        for search in (
            Search(order=(Order("creationTime"),)),
            Search(traits=frozenset({"bot"}), order=(Order("name"),)),
        ):
            with pytest.raises(Invalid) as refused:
                page(Window(0, 1), search, None, None)
            assert refused.value.field == "query"
        bots = Search(traits=frozenset({"bot"}))
        assert [user.login for user in page(Window(MAX_COLLECTED, 5), bots, None, None).items] == ["b1000"]
        narrow = Search(traits=frozenset({"bot"}), terms={"login": "b000*"}, order=(Order("name"),))
        assert page(Window(), replace(narrow, terms={"login": "b0001"}), None, None).total == 1


def of_another(item: dict[str, Any], number: int) -> dict[str, Any]:
    """What DynamoDB has of the first account, of one more."""
    id = item["pk"]["S"].removeprefix("USER#")
    text = json.dumps(item).replace(id, f"{number:012d}").replace("b0000", f"b{number:04d}")
    made: dict[str, Any] = json.loads(text)
    return made


class TestManyAtOnce:
    def test_more_than_one_call_to_the_database_returns_are_found(self, stores: Stores) -> None:
        users = [stored_user(stores) for _ in range(3)]
        nobody = [making.new_id() for _ in range(120)]
        assert stores.accounts.get_many([*nobody, *(user.id for user in users)]) == {user.id: user for user in users}

    def test_of_none_is_none(self, stores: Stores) -> None:
        for store in (stores.accounts, stores.groups, stores.roles, stores.services):
            assert store.get_many([]) == {}


class TestListsBreakTiesById:
    def test_what_is_as_old_is_in_order_of_ids(self, stores: Stores) -> None:
        user = stored_user(stores)
        for _ in range(4):
            stores.trust_rules.create(making.trust_rule(user), user, None, record())
            stores.approved_scopes.approve(None, making.approval(user), user, record())
            code = making.code(user)
            stores.codes.create(code, user, record())
            stores.codes.redeem(code, making.delegation(user), [], record())
            known = stores.authenticators.get(user.id)
            stores.authenticators.open_session(making.session(user), user, known, newer(known), None, record())
            password, known = making.password(user), stores.authenticators.get(user.id)
            stores.account_credentials.create(password, user, known, record())
        for listed in (
            stores.trust_rules.list(user.id),
            stores.approved_scopes.list(user.id),
            stores.delegations.list(user.id),
            stores.account_credentials.list(Session, user.id),
            stores.account_credentials.list(ApplicationPassword, user.id),
        ):
            ids = [each.id for each in listed]
            assert ids == sorted(ids)
            assert len(ids) == 4


class TestGrants:
    def test_of_one_role_are_in_order_of_who_holds_them(self, empty_stores: Stores) -> None:
        users = [making.user() for _ in range(4)]
        for user in users:
            empty_stores.accounts.create(user, [Grant(user.id, "r2"), Grant(user.id, "r1", "ci")], record())
        expected = [(role, id) for role in ("r1", "r2") for id in sorted(user.id for user in users)]
        for skip, top in ((0, 100), (2, 3), (7, 5), (9, 1), (0, 0)):
            page = empty_stores.roles.grants(Window(skip, top), None)
            assert [(each.role_id, each.holder_id) for each in page.items] == expected[skip : skip + top]
            assert page.total == 8
        assert empty_stores.roles.grants(Window(1, 2), "r1").total == 4
        assert empty_stores.roles.grants(Window(), "r").total == 0

    def test_what_an_account_holds_is_in_order_of_role_and_place(self, stores: Stores) -> None:
        user = making.user()
        given = [Grant(user.id, role, scope_id) for role in ("b", "a") for scope_id in ("z", "0", "m")]
        stores.accounts.create(user, given, record())
        assert stores.access.direct_grants(user.id).grants == tuple(sorted(given, key=lambda each: each.key))
