"""`TokenStore`: names, what was compared, events with every change, and pages over all accounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.core.audit.records import AuditQuery
from chalicelib.core.common.errors import Conflict, StaleWrite
from chalicelib.core.secrets.previous_secrets import PreviousSecret, RetiredSecret
from chalicelib.core.stores import Stores
from chalicelib.core.tokens.event import EventKind
from chalicelib.core.tokens.ports import Displaced
from chalicelib.core.tokens.token import LastUse, PermanentToken
from tests.storage.contract import making
from tests.storage.contract.conftest import refused
from tests.storage.contract.making import newer, record, stored_group, stored_role, stored_token, stored_user
from tests.storage.contract.making import token_record as changed


def test_a_token_comes_back_as_it_was_stored(stores: Stores) -> None:
    owner = stored_user(stores)
    token = stored_token(
        stores,
        owner,
        scope=("b", "a"),
        last_used=5,
        last_use=LastUse("192.0.2.1", "agent ü", "ci"),
        used_at=frozenset({"a", "b"}),
        rotated=6,
        settled=6,
        previous_secrets=(PreviousSecret(making.hashed(), 1, 2), PreviousSecret(making.hashed(), 2, 3)),
        retired_secrets=(RetiredSecret(making.hashed(), 1), RetiredSecret(making.hashed(), 2, rolled_back=True)),
        reused=7,
        leaked=8,
        expires=9,
        description="for ü",
        contact="me",
        labels=("a", "B"),
        networks=("192.0.2.0/24",),
        notified=("expiring1",),
        revision=4,
    )
    assert stores.tokens.get(owner.id, token.id) == token
    assert stores.tokens.get(owner.id, "nothing") is None
    assert stores.tokens.get("nobody", token.id) is None


def test_tokens_are_listed_oldest_first(stores: Stores) -> None:
    owner = stored_user(stores)
    made = [stored_token(stores, owner, created=making.NOW + age) for age in (2, 1, 1)]
    assert stores.tokens.list(owner.id) == sorted(made, key=lambda token: (token.created, token.id))


def test_a_name_is_one_tokens_of_its_account(stores: Stores) -> None:
    owner, other = stored_user(stores), stored_user(stores)
    first, second = stored_token(stores, owner, name="night"), stored_token(stores, owner, name="day")
    stored_token(stores, other, name="night")
    stored_token(stores, owner, name="Night")  # letter case matters here
    with refused(stores, Conflict):
        stored_token(stores, owner, name="night")
    with refused(stores, Conflict):
        stores.tokens.replace(second, newer(second, name="night"), owner, None, changed())
    stores.tokens.delete(first, changed("deleted"))
    stores.tokens.replace(second, newer(second, name="night"), owner, None, changed())
    assert stored_token(stores, owner, name="day")


class TestDisplaced:
    """A token that makes room for another one of its name goes with that one's transaction."""

    def gone(self, token: PermanentToken) -> Displaced:
        return Displaced(token, changed("deleted", target_id=token.id))

    def test_one_is_found_by_its_name(self, stores: Stores) -> None:
        owner = stored_user(stores)
        token = stored_token(stores, owner, name="night")
        assert stores.tokens.named(owner.id, "night") == token
        assert stores.tokens.named(owner.id, "Night") is None
        assert stores.tokens.named("nobody", "night") is None

    @pytest.mark.parametrize("replaced", [False, True])
    def test_it_goes_with_its_labels_an_event_and_a_record(self, stores: Stores, replaced: bool) -> None:
        owner = stored_user(stores)
        label = making.name("label")
        old = stored_token(stores, owner, name="night", labels=(label,))
        gone = self.gone(old)
        if replaced:
            other = stored_token(stores, owner, name="day")
            new = newer(other, name="night")
            stores.tokens.replace(other, new, owner, None, changed(), gone)
            assert stores.tokens.named(owner.id, "day") is None
        else:
            new = making.token(owner, name="night", labels=(label,))
            stores.tokens.create(new, owner, None, changed("created"), gone)
        assert stores.tokens.named(owner.id, "night") == new
        assert stores.tokens.get(owner.id, old.id) is None
        assert list(stores.tokens.page(label, None, 10).tokens) == ([] if replaced else [new])
        kinds = [event.kind for event in stores.events.after(old.id, 0, 10)]
        assert kinds == [EventKind.CREATED, EventKind.REVOKED]
        found = stores.audit.page(AuditQuery(target_id=old.id), 10).records
        assert gone.audit.id in {each.id for each in found}
        with refused(stores, Conflict):
            stored_token(stores, owner, name="night")

    @pytest.mark.parametrize("replaced", [False, True])
    @pytest.mark.parametrize("what", ["it has changed", "it is gone", "it has another name"])
    def test_it_has_to_be_as_it_was(self, stores: Stores, what: str, replaced: bool) -> None:
        owner = stored_user(stores)
        old, other, third = stored_token(stores, owner, name="night"), stored_token(stores, owner), None
        gone = self.gone(old)
        if replaced:
            third = stored_token(stores, owner)
        if what == "it has changed":
            stores.tokens.replace(old, newer(old), owner, None, changed())
        elif what == "it is gone":
            stores.tokens.delete(old, changed("deleted"))
        else:
            gone = self.gone(other)
        with refused(stores, StaleWrite):
            if third:
                stores.tokens.replace(third, newer(third, name="night"), owner, None, changed(), gone)
            else:
                stores.tokens.create(making.token(owner, name="night"), owner, None, changed("created"), gone)


@pytest.mark.parametrize("change", ["account", "group", "role", "group gone"])
@pytest.mark.parametrize("replaced", [False, True])
def test_what_was_compared_has_to_be_as_it_was(stores: Stores, change: str, replaced: bool) -> None:
    owner, group, role = stored_user(stores), stored_group(stores), stored_role(stores)
    required_permissions = making.access_by(group, roles=(role,))
    token = stored_token(stores, owner)
    if change == "account":
        stores.accounts.replace(owner, newer(owner), False, record())
    elif change == "group":
        stores.groups.replace(group, newer(group), None, record())
    elif change == "role":
        stores.roles.replace(role, newer(role), record())
    else:
        stores.groups.delete(group, record())
    with refused(stores, StaleWrite):
        if replaced:
            stores.tokens.replace(token, newer(token), owner, required_permissions, changed())
        else:
            stores.tokens.create(making.token(owner), owner, required_permissions, changed("created"))


def test_a_change_is_refused_unless_the_old_one_is_stored(stores: Stores) -> None:
    owner = stored_user(stores)
    token = stored_token(stores, owner)
    current = newer(token, description="changed")
    stores.tokens.replace(token, current, owner, None, changed())
    for stale in (token, making.token(owner)):
        with refused(stores, StaleWrite):
            stores.tokens.replace(stale, newer(stale), owner, None, changed())
        with refused(stores, StaleWrite):
            stores.tokens.delete(stale, changed("deleted"))
        with refused(stores, StaleWrite):
            stores.tokens.update_system_fields(stale, newer(stale), changed("unused"))
        with refused(stores, StaleWrite):
            stores.tokens.put_off(stale, 1)
    assert stores.tokens.get(owner.id, token.id) == current


def test_which_secret_was_used_is_stored_once_and_only_forwards(stores: Stores) -> None:
    owner = stored_user(stores)
    token = stored_token(stores, owner)
    for since in (5, 7):
        stores.credentials.settle(token, since)
    for since in (7, 6):
        with refused(stores, StaleWrite):
            stores.credentials.settle(token, since)
    assert stores.tokens.get(owner.id, token.id) == replace(token, settled=7)


def test_which_secret_was_used_is_not_stored_of_another_state_nor_written_over(stores: Stores) -> None:
    owner = stored_user(stores)
    token = stored_token(stores, owner)
    stores.credentials.settle(token, 5)
    for write in (
        lambda: stores.tokens.replace(token, newer(token), owner, None, changed()),
        lambda: stores.tokens.update_system_fields(token, newer(token), changed("unused")),
        lambda: stores.tokens.delete(token, changed("deleted")),
    ):
        with refused(stores, StaleWrite):
            write()
    settled = replace(token, settled=5)
    stores.tokens.replace(settled, newer(settled), owner, None, changed())
    with refused(stores, StaleWrite):
        stores.credentials.settle(token, 9)
    stores.tokens.delete(newer(settled), changed("deleted"))
    with refused(stores, StaleWrite):
        stores.credentials.settle(token, 9)


def test_every_change_writes_its_event(stores: Stores) -> None:
    owner = stored_user(stores)
    token = stored_token(stores, owner)
    second, third = newer(token, name=making.name()), newer(newer(token), notified=("x",))
    stores.tokens.replace(token, second, owner, None, changed("rotated"))
    stores.tokens.update_system_fields(second, third, changed("expiring"))
    stores.tokens.delete(third, changed("deleted", id="the-record"))
    events = stores.events.after(token.id, 0, 10)
    assert [(each.sequence, each.kind) for each in events] == [
        (1, EventKind.CREATED),
        (2, EventKind.ROTATED),
        (3, EventKind.EXPIRING),
        (4, EventKind.REVOKED),
    ]
    assert events[-1].id == "the-record"
    assert [each.sequence for each in stores.events.after(token.id, 1, 2)] == [2, 3]


def names(stores: Stores, label: str | None, top: int, due: int | None = None) -> list[list[str]]:
    """The names on each page."""
    pages, after = [], None
    while True:
        page = stores.tokens.page(label, after, top, due)
        pages.append([token.name for token in page.tokens])
        after = page.after
        if after is None:
            return pages


def test_tokens_with_a_label_are_found_in_all_accounts_whatever_its_case(empty_stores: Stores) -> None:
    owners = [stored_user(empty_stores), stored_user(empty_stores)]
    made: list[PermanentToken] = [
        stored_token(empty_stores, owners[number % 2], name=str(number), created=number, labels=("Night", "x=1"))
        for number in range(5)
    ]
    stored_token(empty_stores, owners[0], labels=("nightly",))
    assert names(empty_stores, "NIGHT", 10) == [["0", "1", "2", "3", "4"]]
    assert [name for page in names(empty_stores, "night", 2) for name in page] == ["0", "1", "2", "3", "4"]
    assert max(map(len, names(empty_stores, "night", 2))) == 2
    empty_stores.tokens.replace(made[1], newer(made[1], labels=("x=1",)), owners[1], None, changed())
    empty_stores.tokens.delete(made[2], changed("deleted"))
    empty_stores.accounts.delete(owners[1], record())
    assert names(empty_stores, "night", 10) == [["0", "4"]]
    assert names(empty_stores, "nothing", 10) == [[]]


def test_a_label_that_a_token_has_twice_finds_it_once(empty_stores: Stores) -> None:
    owner = stored_user(empty_stores)
    stored_token(empty_stores, owner, name="a", labels=("night", "Night"), created=making.NOW)
    stored_token(empty_stores, owner, name="b", labels=("nighT", "night", "NIGHT"), created=making.NOW + 1)
    stored_token(empty_stores, owner, name="c", labels=("NIGHT",), created=making.NOW + 2)
    assert names(empty_stores, "night", 10) == [["a", "b", "c"]]
    assert names(empty_stores, "Night", 2) == [["a", "b"], ["c"]]
    assert [name for page in names(empty_stores, "Night", 1) for name in page] == ["a", "b", "c"]


def test_tokens_are_found_by_when_they_have_to_be_looked_at(empty_stores: Stores) -> None:
    owner = stored_user(empty_stores)
    made = [stored_token(empty_stores, owner, name=str(number)) for number in range(3)]
    assert sorted(names(empty_stores, None, 10, due=0)[0]) == ["0", "1", "2"]
    for token, due in zip(made, (30, 10, 20), strict=True):
        empty_stores.tokens.put_off(token, due)
    assert names(empty_stores, None, 10, due=9) == [[]]
    assert names(empty_stores, None, 10, due=20) == [["1", "2"]]
    assert [name for page in names(empty_stores, None, 1) for name in page] == ["1", "2", "0"]
    page = empty_stores.tokens.page(None, None, 2)
    assert page.due == {made[1].id: 10, made[2].id: 20}
    assert [token.id for token in empty_stores.tokens.page(None, page.after, 2).tokens] == [made[0].id]
    empty_stores.tokens.update_system_fields(made[0], newer(made[0]), changed("unused"), due=5)
    empty_stores.tokens.replace(made[1], newer(made[1]), owner, None, changed())
    assert names(empty_stores, None, 10) == [["1", "0", "2"]]  # what has changed is looked at soon
    empty_stores.tokens.delete(newer(made[0]), changed("deleted"))
    assert names(empty_stores, None, 10) == [["1", "2"]]


def test_putting_off_is_no_change_of_the_token(stores: Stores) -> None:
    owner = stored_user(stores)
    token = stored_token(stores, owner)
    stores.tokens.put_off(token, 7)
    assert stores.tokens.get(owner.id, token.id) == token
    assert stores.tokens.replace(token, replace(newer(token), name="other"), owner, None, changed()) is None
