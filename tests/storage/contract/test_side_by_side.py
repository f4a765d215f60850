"""Whatever is done in whatever order, both implementations answer the same: values, refusals, and what is there then.

Things and changes are drawn at random, stale and missing ones too, from so few names that they collide often.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.core.access.account import AccountType, Owner, OwnerKind
from chalicelib.core.access.role import SYSTEM_ADMIN, Grant
from chalicelib.core.audit.idempotency import IdempotencyKey, Replayed
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING, Order, Search
from chalicelib.core.stores import Stores
from tests.budgets import budget
from tests.engine import OwnDatabase
from tests.storage.contract import making
from tests.storage.contract.conftest import IMPLEMENTATIONS, implementation
from tests.storage.contract.making import newer, record, token_record

NAMES = st.sampled_from(["a", "B", "b", "ä"])
LABELS = st.lists(NAMES, max_size=2, unique=True)
PLACES = st.sampled_from(["0", "ci"])
SEARCHES = (
    EVERYTHING,
    Search(text="b"),
    Search(traits=frozenset({"bot"})),
    Search(traits=frozenset({"banned"})),
    Search(order=(Order("login", descending=True),)),
)
Operation = Callable[[Stores], Any]


class World:
    """What both have been told so far: every revision of every thing, those that are stored and those that are not."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self.draw = draw
        self.known: dict[str, list[Any]] = {kind: [] for kind in ("user", "group", "role", "token")}

    def some(self, kind: str) -> Any:
        """The newest revision of one of them, mostly; or an older one, or one that was never stored."""
        known = self.known[kind]
        if not known or self.draw(st.integers(0, 9)) == 0:
            made: Any = {"user": making.user, "group": making.group, "role": making.role}.get(kind)
            return made() if made else making.token(self.some("user"))
        chosen = self.draw(st.sampled_from(known))
        revisions = [each for each in known if each.id == chosen.id]
        return chosen if self.draw(st.integers(0, 4)) == 0 else max(revisions, key=lambda each: each.revision)

    def next(self, kind: str, thing: Any) -> Any:
        """Somebody may know it from now on."""
        self.known[kind].append(thing)
        return thing


def create_user(world: World) -> Operation:
    user = making.user(login=world.draw(NAMES), name=world.draw(NAMES), type=world.draw(st.sampled_from(AccountType)))
    if user.type is AccountType.BOT and world.draw(st.booleans()):
        user = replace(user, owner=Owner(OwnerKind.USER, world.some("user").id))
    grants = [Grant(user.id, SYSTEM_ADMIN)] if world.draw(st.booleans()) else []
    idempotency_key = IdempotencyKey("key", "f") if world.draw(st.integers(0, 9)) == 0 else None
    written = record(idempotency_key=idempotency_key)
    world.next("user", user)
    return lambda stores: stores.accounts.create(user, grants, written)


def change_user(world: World) -> Operation:
    old = world.some("user")
    new = world.next("user", newer(old, login=world.draw(NAMES), banned=world.draw(st.booleans())))
    written = record()

    def change(stores: Stores) -> None:
        admin = any(grant.makes_administrator for grant in stores.access.direct_grants(old.id).grants)
        stores.accounts.replace(old, new, admin, written)

    return change


def delete_user(world: World) -> Operation:
    user, written = world.some("user"), record()
    return lambda stores: stores.accounts.delete(user, written)


def create_group(world: World) -> Operation:
    parent = world.some("group") if world.draw(st.booleans()) else None
    group = world.next("group", making.group(name=world.draw(NAMES), parent_id=parent.id if parent else None))
    outer, written = making.access_by(parent) if parent else None, record()
    if parent:
        world.next("group", newer(parent, subgroups=parent.subgroups + 1))
    return lambda stores: stores.groups.create(group, outer, written)


def change_group(world: World) -> Operation:
    old, written = world.some("group"), record()
    grants = frozenset({(world.some("role").id, world.draw(PLACES))}) if world.draw(st.booleans()) else frozenset()
    new = world.next("group", newer(old, name=world.draw(NAMES), grants=grants))
    return lambda stores: stores.groups.replace(old, new, None, written)


def delete_group(world: World) -> Operation:
    group, written = world.some("group"), record()
    return lambda stores: stores.groups.delete(group, written)


def join(world: World) -> Operation:
    group, user, role, written = world.some("group"), world.some("user"), world.some("role"), record()
    world.next("user", newer(user, groups=user.groups | {group.id}))
    given = making.access_by(group, roles=(role,) if world.draw(st.booleans()) else ())
    return lambda stores: stores.groups.add_member(group, user, given, written)


def leave(world: World) -> Operation:
    group, user, written = world.some("group"), world.some("user"), record()
    world.next("user", newer(user, groups=user.groups - {group.id}))
    return lambda stores: stores.groups.remove_member(group, user, written)


def create_role(world: World) -> Operation:
    role, written = world.next("role", making.role(key=world.draw(NAMES))), record()
    return lambda stores: stores.roles.create(role, written)


def change_role(world: World) -> Operation:
    old, written = world.some("role"), record()
    new = world.next("role", newer(old, key=world.draw(NAMES)))
    return lambda stores: stores.roles.replace(old, new, written)


def delete_role(world: World) -> Operation:
    role, written = world.some("role"), record()
    return lambda stores: stores.roles.delete(role, written)


def grant(world: World) -> Operation:
    user, role, written = world.some("user"), world.some("role"), record()
    given = Grant(user.id, role.id, world.draw(PLACES))
    world.next("user", newer(user))
    return lambda stores: stores.roles.grant(user, given, role, written)


def revoke(world: World) -> Operation:
    user, written = world.some("user"), record()
    role_id = SYSTEM_ADMIN if world.draw(st.booleans()) else world.some("role").id
    taken = Grant(user.id, role_id, world.draw(PLACES))
    world.next("user", newer(user))
    return lambda stores: stores.roles.revoke(user, taken, written)


def create_token(world: World) -> Operation:
    owner, group, written = world.some("user"), world.some("group"), token_record("created")
    required_permissions = making.access_by(group) if world.draw(st.booleans()) else None
    labels = tuple(world.draw(LABELS))
    token = world.next("token", making.token(owner, name=world.draw(NAMES), labels=labels))
    return lambda stores: stores.tokens.create(token, owner, required_permissions, written)


def change_token(world: World) -> Operation:
    old, written = world.some("token"), token_record("updated")
    owners = [each for each in world.known["user"] if each.id == old.user_id] or [world.some("user")]
    owner = max(owners, key=lambda each: each.revision)
    new = world.next("token", newer(old, name=world.draw(NAMES), labels=tuple(world.draw(LABELS))))
    return lambda stores: stores.tokens.replace(old, new, owner, None, written)


def delete_token(world: World) -> Operation:
    token, written = world.some("token"), token_record("deleted")
    return lambda stores: stores.tokens.delete(token, written)


OPERATIONS = (
    create_user,
    create_user,
    change_user,
    delete_user,
    create_group,
    change_group,
    delete_group,
    join,
    leave,
    create_role,
    change_role,
    delete_role,
    grant,
    revoke,
    create_token,
    create_token,
    change_token,
    delete_token,
)


def outcome(operation: Operation, stores: Stores) -> str:
    try:
        operation(stores)
    except (Conflict, StaleWrite, Replayed) as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    return "done"


def seen(stores: Stores, world: World) -> Any:
    """All that can be asked about what is known."""
    window = Window(0, 100)
    ids = {kind: sorted({each.id for each in known}) for kind, known in world.known.items()}
    pages = [stores.accounts.page(window, search, None, None) for search in SEARCHES]
    pages += [stores.accounts.page(window, EVERYTHING, id, None) for id in ids["group"] if stores.groups.get(id)]
    grants = stores.roles.grants(window, None)
    held = {id: stores.access.direct_grants(id) for id in ids["user"]}
    return (
        [(list(page.items), page.total) for page in pages],
        [(page.total, sorted(page.items, key=str)) for page in (stores.groups.page(window, EVERYTHING),)],
        [(page.total, list(page.items)) for page in (stores.roles.page(window, EVERYTHING),)],
        (grants.total, set(grants.items)),
        {id: (set(each.grants), set(each.groups)) for id, each in held.items()},
        {id: stores.tokens.list(id) for id in ids["user"]},
        {id: stores.events.after(id, 0, 100) for id in ids["token"]},
        {name: {each.id for each in stores.tokens.page(name, None, 100).tokens} for name in ("a", "b", "ä")},
        [stores.accounts.find_by_login(name) for name in ("a", "b", "ä")],
        [stores.groups.find_by_name(name) for name in ("a", "b", "ä")],
    )


@pytest.mark.parametrize("seed", range(budget(gate=1, long=4)))
@settings(max_examples=budget(gate=12, long=150))
@given(data=st.data())
def test_both_answer_the_same(database: OwnDatabase, seed: int, data: st.DataObject) -> None:
    with ExitStack() as stack:
        memory, dynamodb = (stack.enter_context(implementation(name, lambda: database))[0] for name in IMPLEMENTATIONS)
        world = World(data.draw)
        for _ in range(budget(gate=20, long=40)):
            operation = data.draw(st.sampled_from(OPERATIONS))
            step = operation(world)
            assert outcome(step, memory) == outcome(step, dynamodb), operation.__name__
        assert seen(memory, world) == seen(dynamodb, world)
