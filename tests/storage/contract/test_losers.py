"""Whoever loses against others leaves nothing: no thing, no record, no event, no name, no count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.access.role import Grant
from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.stores import Stores
from chalicelib.core.webhooks.ports import Queue
from tests.budgets import budget
from tests.engine import OwnDatabase
from tests.storage.contract import making
from tests.storage.contract.conftest import implementation
from tests.storage.contract.making import newer, record, stored_group, stored_role, stored_user, token_record
from tests.storage.contract.test_concurrent_writers import WRITERS, at_once

ACTOR = "writer"


def written(stores: Stores) -> int:
    """How many changes the writers have recorded."""
    return len(stores.audit.page(AuditQuery(actor_id=ACTOR), 100).records)


def test_of_accounts_that_want_a_login_one_is_there(empty_stores: Stores) -> None:
    users = [making.bot(login="wanted", name=f"Bot {number}") for number in range(WRITERS)]
    won = at_once(
        lambda number: empty_stores.accounts.create(
            users[number], [Grant(users[number].id, "r")], record(actor_id=ACTOR)
        )
    )
    assert len(won) == written(empty_stores) == 1
    winner = users[won[0]]
    page = empty_stores.accounts.page(Window(), EVERYTHING, None, None)
    assert (list(page.items), page.total) == ([winner], 1)
    assert list(empty_stores.roles.grants(Window(), "r").items) == [Grant(winner.id, "r")]
    assert empty_stores.accounts.get_many([user.id for user in users]) == {winner.id: winner}


def test_of_accounts_that_want_a_login_by_another_name_the_others_keep_theirs(empty_stores: Stores) -> None:
    users = [stored_user(empty_stores) for _ in range(WRITERS)]
    renamed = [newer(user, login="wanted") for user in users]
    accounts = empty_stores.accounts
    won = at_once(lambda number: accounts.replace(users[number], renamed[number], False, record(actor_id=ACTOR)))
    assert len(won) == written(empty_stores) == 1
    for number, user in enumerate(users):
        stays = renamed[number] if number in won else user
        assert accounts.find_by_login(stays.login) == stays == accounts.get(user.id)
    assert accounts.find_by_login(users[won[0]].login) is None
    assert accounts.page(Window(), EVERYTHING, None, None).total == WRITERS


def test_of_tokens_that_want_a_name_one_is_told_of(empty_stores: Stores) -> None:
    owner = stored_user(empty_stores)
    tokens = [making.token(owner, name="wanted", labels=("night",)) for _ in range(WRITERS)]
    audit = [token_record("created", actor_id=ACTOR) for _ in tokens]
    won = at_once(lambda number: empty_stores.tokens.create(tokens[number], owner, None, audit[number]))
    assert len(won) == written(empty_stores) == 1
    assert empty_stores.tokens.list(owner.id) == [tokens[won[0]]]
    for label in (None, "night"):
        assert list(empty_stores.tokens.page(label, None, 100).tokens) == [tokens[won[0]]]
    told = [number for number, token in enumerate(tokens) if empty_stores.events.after(token.id, 0, 9)]
    assert told == won


@pytest.mark.parametrize("kind", ["grant", "membership", "trust rule", "application password", "approval"])
def test_what_hangs_on_an_account_is_there_once(empty_stores: Stores, kind: str) -> None:
    stores, user = empty_stores, stored_user(empty_stores)
    role, group, known = stored_role(stores), stored_group(stores), making.with_2fa(stores, user)
    write: dict[str, Callable[[], Any]] = {
        "grant": lambda: stores.roles.grant(user, Grant(user.id, role.id), role, record(actor_id=ACTOR)),
        "membership": lambda: stores.groups.add_member(group, user, making.access_by(), record(actor_id=ACTOR)),
        "trust rule": lambda: stores.trust_rules.create(
            making.trust_rule(user, name="wanted"), user, None, record(actor_id=ACTOR)
        ),
        "application password": lambda: stores.account_credentials.create(
            making.password(user), user, known, record(actor_id=ACTOR)
        ),
        "approval": lambda: stores.approved_scopes.approve(
            None, making.approval(user, client_id="c"), user, record(actor_id=ACTOR)
        ),
    }
    won = at_once(lambda _: write[kind]())
    assert len(won) == written(stores) == 1
    held = stores.access.direct_grants(user.id)
    there = [
        held.grants,
        held.groups,
        stores.trust_rules.list(user.id),
        stores.account_credentials.list(ApplicationPassword, user.id),
    ]
    assert sum(map(len, [*there, stores.approved_scopes.list(user.id)])) == 1
    members = stores.accounts.page(Window(), EVERYTHING, group.id, None)
    assert members.total == len(members.items) == len(held.groups)
    revision = {"grant": 1, "membership": 1}.get(kind, 0) + user.revision
    assert [user.revision for user in stores.accounts.get_many([user.id]).values()] == [revision]
    assert stores.authenticators.get(user.id).revision == known.revision + (kind == "application password")


STEPS = st.tuples(
    st.sampled_from(["take", "take", "advance", "put off", "release", "release", "wait"]),
    st.sampled_from(["first", "second"]),  # who does it
    st.sampled_from(["here", "there"]),  # of which destination
    st.integers(0, 6),  # how long it is held, or put off
)


@settings(max_examples=budget(gate=40, long=2_000))
@given(steps=st.lists(STEPS, min_size=6, max_size=25))
def test_whatever_holders_do_both_kinds_of_queues_answer_the_same(
    queues_of_both: tuple[Stores, Stores], steps: list[tuple[str, str, str, int]]
) -> None:
    token = making.new_id()
    memory, dynamodb = queues_of_both
    for now, step in enumerate(steps):
        outcomes = [_queue_step(each, token, 10 * now, *step) for each in (memory, dynamodb)]
        assert outcomes[0] == outcomes[1], step


@pytest.fixture
def queues_of_both(database: OwnDatabase) -> Any:
    with (
        implementation("memory", lambda: database) as (memory, _),
        implementation("dynamodb", lambda: database) as (dynamodb, _),
    ):
        yield memory, dynamodb


def _queue_step(stores: Stores, token: str, now: int, what: str, who: str, where: str, time: int) -> Any:
    until, queue = now + 7 * time, Queue(where, token, who, sent=now, attempts=time)
    try:
        match what:
            case "take":
                return stores.queues.take(where, token, who, now, until)
            case "advance":
                return stores.queues.advance(queue, now, until)
            case "put off":
                return stores.queues.put_off(queue, until)
            case "release":
                return stores.queues.release(queue)
        return [place for place in stores.queues.waiting(until, 10_000) if place[1] == token]
    except StaleWrite:
        return "stale"
