"""`GroupStore`, `RoleStore` and `ServiceStore`: unique names, memberships, grants, policies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.core.access.role import Grant
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING, Order, Search
from chalicelib.core.secrets.previous_secrets import MAX_PREVIOUS, MAX_RETIRED, PreviousSecret, RetiredSecret
from chalicelib.core.stores import Stores
from tests.storage.contract import making
from tests.storage.contract.conftest import refused
from tests.storage.contract.making import newer, record, stored_group, stored_role, stored_user

Make = Callable[..., Any]
# For each collection: its store, what makes a member, under which attribute that is unique, and how it is looked up.
COLLECTIONS: dict[str, tuple[str, Make, str, str]] = {
    "groups": ("groups", making.group, "name", "find_by_name"),
    "roles": ("roles", making.role, "key", "find_by_key"),
    "services": ("services", making.service, "key", "find_by_key"),
}


class Collection:
    """One of the three, by the calls that they have in common; groups' take the parent's access too."""

    def __init__(self, stores: Stores, name: str) -> None:
        self.stores = stores
        store, self.make, self.unique, find = COLLECTIONS[name]
        self.store: Any = getattr(stores, store)
        self.find = getattr(self.store, find)
        self._outer: tuple[None, ...] = (None,) if name == "groups" else ()

    def create(self, thing: Any) -> Any:
        self.store.create(thing, *self._outer, record())
        return thing

    def replace(self, old: Any, new: Any) -> Any:
        self.store.replace(old, new, *self._outer, record())
        return new

    def names(self, window: Window, search: Search = EVERYTHING) -> tuple[list[str], int]:
        page = self.store.page(window, search)
        return [getattr(thing, self.unique) for thing in page.items], page.total


@pytest.fixture(params=COLLECTIONS)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def collection(stores: Stores, kind: str) -> Collection:
    return Collection(stores, kind)


class TestWhatAllThreePromise:
    def test_what_is_stored_is_found(self, collection: Collection) -> None:
        thing = collection.create(collection.make())
        assert collection.store.get(thing.id) == thing == collection.find(getattr(thing, collection.unique))
        assert collection.store.get_many([thing.id, "nothing"]) == {thing.id: thing}
        assert collection.store.get("nothing") is None
        assert collection.find("nothing") is None

    def test_a_name_is_unique_until_it_is_given_up(self, collection: Collection) -> None:
        thing, other = collection.create(collection.make()), collection.create(collection.make())
        taken = {collection.unique: getattr(thing, collection.unique)}
        with refused(collection.stores, Conflict):
            collection.create(collection.make(**taken))
        with refused(collection.stores, Conflict):
            collection.replace(other, newer(other, **taken))
        renamed = collection.replace(thing, newer(thing, **{collection.unique: making.name()}))
        assert collection.find(taken[collection.unique]) is None
        other = collection.replace(other, newer(other, **taken))
        collection.store.delete(other, record())
        assert collection.replace(renamed, newer(renamed, **taken))

    def test_a_change_is_refused_unless_the_old_one_is_stored(self, collection: Collection) -> None:
        thing = collection.create(collection.make())
        collection.replace(thing, newer(thing))
        for stale in (thing, collection.make()):
            with refused(collection.stores, StaleWrite):
                collection.replace(stale, newer(stale))
            with refused(collection.stores, StaleWrite):
                collection.store.delete(stale, record())

    def test_pages_are_in_order_and_count_all(self, empty_stores: Stores, kind: str) -> None:
        collection = Collection(empty_stores, kind)
        known = collection.names(Window())[1]
        for name in ("b1", "a1", "c1"):
            collection.create(collection.make(**{collection.unique: name}))
        deleted = collection.create(collection.make(**{collection.unique: "d1"}))
        collection.store.delete(deleted, record())
        assert known == 0
        assert collection.names(Window(1, 1)) == (["b1"], 3)
        assert collection.names(Window(3, 1)) == ([], 3)
        descending = Search(order=(Order(collection.unique, descending=True),))
        assert collection.names(Window(0, 2), descending) == (["c1", "b1"], 3)
        assert collection.names(Window(), Search(text="A")) == (["a1"], 1)


class TestGroups:
    def test_names_differ_by_more_than_case(self, stores: Stores) -> None:
        name = making.name("Größe")
        stored_group(stores, name=name)
        with refused(stores, Conflict):
            stored_group(stores, name=name.upper())
        assert stores.groups.find_by_name(name.upper()) == stores.groups.find_by_name(name)

    def test_a_parent_knows_how_many_it_holds_and_stays_while_it_holds_some(self, stores: Stores) -> None:
        first, second = stored_group(stores), stored_group(stores)
        inner = making.group(parent_id=first.id)
        stores.groups.create(inner, making.access_by(first), record())
        holding = newer(first, subgroups=1)
        assert stores.groups.get(first.id) == holding
        with refused(stores, StaleWrite):
            stores.groups.delete(holding, record())
        moved = newer(inner, parent_id=second.id)
        stores.groups.replace(inner, moved, making.access_by(second), record())
        assert [stores.groups.get(each.id).subgroups for each in (first, second)] == [0, 1]  # type: ignore[union-attr]
        stores.groups.delete(moved, record())
        assert stores.groups.get(second.id).subgroups == 0  # type: ignore[union-attr]

    def test_a_group_moves_only_while_what_it_gave_is_as_it_was_compared(self, stores: Stores) -> None:
        first, second, given = stored_group(stores), stored_group(stores), stored_role(stores)
        inner = stored_group(stores, parent_id=first.id)
        (first,) = filter(None, [stores.groups.get(first.id)])
        required_permissions = making.access_by(inner, first, second, roles=(given,))
        stores.roles.replace(given, newer(given), record())
        moved = newer(inner, parent_id=second.id)
        with refused(stores, StaleWrite):
            stores.groups.replace(inner, moved, required_permissions, record())
        required_permissions = making.access_by(inner, first, second, roles=(newer(given),))
        stores.groups.replace(inner, moved, required_permissions, record())
        assert stores.groups.get(inner.id) == moved

    def test_nobody_enters_a_parent_that_has_changed_or_is_gone(self, stores: Stores) -> None:
        outer, grand, given = stored_group(stores), stored_group(stores), stored_role(stores)
        seen = making.access_by(outer, grand, roles=(given,))
        for change in (
            lambda: stores.groups.replace(outer, newer(outer), None, record()),
            lambda: stores.groups.replace(grand, newer(grand), None, record()),
            lambda: stores.roles.replace(given, newer(given), record()),
        ):
            change()
            with refused(stores, StaleWrite):
                stores.groups.create(making.group(parent_id=outer.id), seen, record())
        with refused(stores, StaleWrite):
            stores.groups.create(making.group(parent_id="gone"), None, record())

    def test_a_membership_is_a_change_of_the_account(self, stores: Stores) -> None:
        group, user = stored_group(stores), stored_user(stores)
        stores.groups.add_member(group, user, making.access_by(group), record())
        inside = newer(user, groups=frozenset({group.id}))
        assert stores.accounts.get(user.id) == inside
        assert stores.access.direct_grants(user.id).groups == (group.id,)
        with refused(stores, StaleWrite):
            stores.groups.remove_member(group, user, record())
        with refused(stores, Conflict):
            stores.groups.add_member(group, inside, making.access_by(group), record())
        stores.groups.remove_member(group, inside, record())
        assert stores.access.direct_grants(user.id).groups == ()
        with refused(stores, StaleWrite):
            stores.groups.remove_member(group, newer(newer(user)), record())

    def test_nobody_joins_when_what_the_group_gives_has_changed(self, stores: Stores) -> None:
        group, given, user = stored_group(stores), stored_role(stores), stored_user(stores)
        seen = making.access_by(group, roles=(given,))
        stores.roles.delete(given, record())
        with refused(stores, StaleWrite):
            stores.groups.add_member(group, user, seen, record())

    def test_a_deleted_group_has_no_members(self, stores: Stores) -> None:
        group, user = stored_group(stores), stored_user(stores)
        stores.groups.add_member(group, user, making.access_by(), record())
        stores.groups.delete(group, record())
        assert stores.access.direct_grants(user.id).groups == ()
        assert stores.accounts.page(Window(), EVERYTHING, group.id, None).items == []


class TestRolesAndGrants:
    def test_a_grant_is_a_change_of_the_account_and_there_once(self, stores: Stores) -> None:
        role, user = stored_role(stores), stored_user(stores)
        grant = Grant(user.id, role.id, "ci")
        stores.roles.grant(user, grant, role, record())
        assert stores.access.direct_grants(user.id).grants == (grant,)
        granted = stores.accounts.get(user.id)
        assert granted == newer(user)
        with refused(stores, StaleWrite):
            stores.roles.grant(user, Grant(user.id, role.id), role, record())
        with refused(stores, Conflict):
            stores.roles.grant(granted, grant, role, record())
        stores.roles.revoke(granted, grant, record())
        assert stores.access.direct_grants(user.id).grants == ()

    def test_a_role_that_has_changed_is_not_granted(self, stores: Stores) -> None:
        role, user = stored_role(stores), stored_user(stores)
        stores.roles.replace(role, newer(role), record())
        with refused(stores, StaleWrite):
            stores.roles.grant(user, Grant(user.id, role.id), role, record())

    def test_grants_of_accounts_and_groups_are_listed_by_role(self, empty_stores: Stores) -> None:
        user = making.user()
        given = [Grant(user.id, "r2", "ci"), Grant(user.id, "r1")]
        empty_stores.accounts.create(user, given, record())
        group = stored_group(empty_stores)
        empty_stores.groups.replace(group, newer(group, grants=frozenset({("r2", "0")})), None, record())
        every = empty_stores.roles.grants(Window(), None)
        assert ([grant.role_id for grant in every.items], every.total) == (["r1", "r2", "r2"], 3)
        of_one = empty_stores.roles.grants(Window(0, 1), "r2")
        assert (len(of_one.items), of_one.total) == (1, 2)
        stored = empty_stores.groups.get(group.id)
        empty_stores.groups.delete(stored, record())  # type: ignore[arg-type]
        assert list(empty_stores.roles.grants(Window(), "r2").items) == [given[0]]


def test_a_services_secrets_come_back_as_they_were_stored(stores: Stores) -> None:
    previous_secrets = tuple(PreviousSecret(making.hashed(), each, 100 + each) for each in range(MAX_PREVIOUS))
    retired_secrets = tuple(RetiredSecret(making.hashed(), each, each % 2 == 0) for each in range(MAX_RETIRED))
    service = making.service(
        secret_renewed=making.NOW + 9, previous_secrets=previous_secrets, retired_secrets=retired_secrets
    )
    stores.services.create(service, record())
    assert stores.services.get(service.id) == service
    assert stores.credentials.find(None, service.id).service == service
    first = newer(service, secret_renewed=None, previous_secrets=(), retired_secrets=())
    stores.services.replace(service, first, record())
    assert stores.services.get(service.id) == first


@pytest.mark.parametrize("kind", ["service.secret-renewed", "service.secret-renewal-taken-back", "service.updated"])
def test_what_becomes_of_a_services_secrets_is_told_with_the_change(stores: Stores, kind: str) -> None:
    service = making.service()
    stores.services.create(service, record())
    renewed, change = newer(service, secret_renewed=making.NOW), record(kind, details={"grace": "1 s"})
    stores.services.replace(service, renewed, change)
    with refused(stores, StaleWrite):
        stores.services.replace(service, newer(renewed), record(kind))
    events = stores.events.after(service.id, 0, 9)
    if kind == "service.updated":
        assert events == []
    else:
        (event,) = events
        assert (event.id, event.kind.value, event.sequence) == (change.id, kind, renewed.revision)
        assert event.message()["data"] == {
            "id": change.id,
            "sequence": renewed.revision,
            "service": {"id": service.id, "key": service.key, "name": service.name},
            "actor": change.actor_id,
            "details": {"grace": "1 s"},
        }


@pytest.mark.parametrize("kind", ["groups", "services"])
def test_another_policy_asks_to_look_at_all_tokens(empty_stores: Stores, kind: str) -> None:
    collection = Collection(empty_stores, kind)
    thing = collection.create(collection.make())
    assert empty_stores.expiry_sweep.get().wanted == 0
    collection.replace(thing, newer(thing, policy=Policy(unused_days=7)))
    wanted = empty_stores.expiry_sweep.get()
    assert wanted.wanted > making.NOW
    assert collection.store.get(thing.id).policy == Policy(unused_days=7)
    empty_stores.expiry_sweep.record_progress(replace(wanted, after="x"))
    assert empty_stores.expiry_sweep.get().after == "x"
    with refused(empty_stores, StaleWrite):
        empty_stores.expiry_sweep.record_progress(replace(wanted, wanted=1))
    empty_stores.expiry_sweep.record_progress(replace(wanted, done=wanted.wanted))
    assert empty_stores.expiry_sweep.get() == replace(wanted, done=wanted.wanted)
    same = collection.store.get(thing.id)
    collection.replace(same, newer(same))  # the policy is as it was
    assert empty_stores.expiry_sweep.get().wanted == wanted.wanted
