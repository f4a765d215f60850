"""How an installation begins, as often as one likes."""

import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.permissions import EVERY_PERMISSION, ScopedPermission
from chalicelib.core.common.errors import Conflict
from chalicelib.core.directory.accounts import AccountChange
from tests.conftest import Scene, origin


def test_the_first_administrator_may_do_everything(product: Keyturn) -> None:
    issued = product.first_administrator.issue("root", origin())
    caller = product.authentication.caller(issued.secret or "", origin())
    assert ScopedPermission(EVERY_PERMISSION) in caller.permissions.scoped_permissions


def test_issuing_again_makes_another_token_and_no_other_account(product: Keyturn) -> None:
    first = product.first_administrator.issue("root", origin())
    second = product.first_administrator.issue("root", origin())
    assert first.owner.id == second.owner.id
    for issued in (first, second):
        assert product.authentication.caller(issued.secret or "", origin())


def test_it_makes_nobody_an_administrator_who_is_none(scene: Scene) -> None:
    with pytest.raises(Conflict, match="not an administrator"):
        scene.product.first_administrator.issue("build-bot", origin())
    scene.product.first_administrator.issue("second", origin())
    scene.product.accounts.update(scene.caller(), "second", AccountChange(banned=True))
    with pytest.raises(Conflict, match="not an administrator"):
        scene.product.first_administrator.issue("second", origin())
