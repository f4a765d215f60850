"""Parts of whole collections."""

import itertools

import pytest

from chalicelib.core.access.account import AccountType
from chalicelib.core.common.paging import Window
from chalicelib.core.common.search import EVERYTHING
from chalicelib.storage.accounts import DynamoAccounts
from chalicelib.storage.collection import read
from chalicelib.storage.items import UserItem
from tests.conftest import Scene


@pytest.fixture
def logins(scene: Scene) -> list[str]:
    for number in range(11):
        scene.product.accounts.create(scene.caller(), f"user-{number:02d}", "User", AccountType.USER)
    return ["admin", "build-bot", *(f"user-{number:02d}" for number in range(11))]


def test_a_window_shows_what_a_slice_would(logins: list[str]) -> None:
    for skip, top in itertools.product((0, 1, 5, 12, 13, 50), (0, 1, 4, 100)):
        page = DynamoAccounts().page(Window(skip, top), EVERYTHING, None, None)
        assert [user.login for user in page.items] == logins[skip : skip + top]
        assert page.total == len(logins)


def test_nothing_is_read_for_no_keys() -> None:
    assert read(UserItem, []) == {}
