"""What deleted accounts and groups leave: as dead as they are, and cleared away by whoever comes next."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from chalicelib.core.access.role import Grant
from chalicelib.core.common.errors import Unavailable
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING
from chalicelib.core.directory.ports import Leftover
from chalicelib.core.stores import Stores
from chalicelib.storage.sweeps import DynamoSweeps
from tests.memory.accounts import MemorySweeps
from tests.storage.contract import making
from tests.storage.contract.making import newer, record, stored_group, stored_role, stored_token, stored_user

NOW = making.NOW


@pytest.fixture
def revive() -> Iterator[Callable[[], None]]:
    """Whoever deletes something dies before anything is swept, until this is called."""

    def dies(self: object, leftover: Leftover) -> bool:
        raise Unavailable("The process was killed.")

    with pytest.MonkeyPatch.context() as killed:
        killed.setattr(DynamoSweeps, "sweep", dies)
        killed.setattr(MemorySweeps, "sweep", lambda self, leftover: False)
        yield killed.undo


def members(stores: Stores, group_id: str) -> int:
    return stores.accounts.page(Window(), EVERYTHING, group_id, None).total


def test_an_account_that_nobody_swept(empty_stores: Stores, revive: Callable[[], None]) -> None:
    stores, group, user = empty_stores, stored_group(empty_stores), stored_user(empty_stores, "reader")
    stores.groups.add_member(group, user, making.access_by(), record())
    user = newer(user, groups=frozenset({group.id}))
    token = stored_token(stores, user, labels=("a",))
    stores.accounts.delete(user, record(at=NOW))
    left = Leftover("USER", user.id)
    assert stores.accounts.get(user.id) is None
    assert stores.tokens.list(user.id) == [token]
    assert list(stores.sweeps.waiting(NOW - 1, 10)) == []
    assert list(stores.sweeps.waiting(NOW, 10)) == [left]
    revive()
    for _ in range(2):  # once more harms nobody
        assert stores.sweeps.sweep(left)
        assert stores.tokens.list(user.id) == []
        assert members(stores, group.id) == 0
        assert stores.access.direct_grants(user.id).grants == ()
    assert list(stores.sweeps.waiting(NOW, 10)) == [left]
    stores.sweeps.done(left)
    assert list(stores.sweeps.waiting(NOW, 10)) == []


def test_a_group_that_nobody_swept(empty_stores: Stores, revive: Callable[[], None]) -> None:
    stores, group, user, role = empty_stores, stored_group(empty_stores), stored_user(empty_stores), making.role()
    stores.roles.create(role, record())
    for number in range(120):  # more than anybody can grant to a group today
        granted = newer(group, grants=group.grants | {(role.id, f"service-{number}")})
        stores.groups.replace(group, granted, None, record())
        group = granted
    stores.groups.add_member(group, user, making.access_by(group), record())
    stores.groups.delete(group, record(at=NOW))
    assert stores.access.direct_grants(user.id).groups == (group.id,)
    revive()
    assert stores.sweeps.sweep(Leftover("GROUP", group.id))
    assert stores.access.direct_grants(user.id).groups == ()
    assert stores.roles.grants(Window(), role.id).total == 0


def test_what_is_there_is_never_swept(stores: Stores) -> None:
    group, role, user = stored_group(stores), stored_role(stores), stored_user(stores)
    granted = newer(group, grants=frozenset({(role.id, "0")}))
    stores.groups.replace(group, granted, None, record())
    stores.groups.add_member(granted, user, making.access_by(), record())
    owner = newer(user, groups=frozenset({group.id}))
    token = stored_token(stores, owner)
    for left in (Leftover("USER", user.id), Leftover("GROUP", group.id)):
        assert stores.sweeps.sweep(left)
    assert stores.tokens.list(user.id) == [token]
    assert stores.access.direct_grants(user.id).groups == (group.id,)
    assert list(stores.roles.grants(Window(), role.id).items) == [Grant(group.id, role.id)]
