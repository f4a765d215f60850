"""Names in another spelling, and who counts as an administrator while they are banned."""

from __future__ import annotations

from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.common.errors import Conflict
from chalicelib.core.stores import Stores
from tests.storage.contract import making
from tests.storage.contract.conftest import refused
from tests.storage.contract.making import newer, record, stored_group, stored_user


class TestNamesThatStay:
    """Another spelling of the same name is no other name."""

    def test_a_login_in_other_case_is_ones_own(self, stores: Stores) -> None:
        user = stored_user(stores)
        louder = newer(user, login=user.login.upper())
        stores.accounts.replace(user, louder, False, record())
        assert stores.accounts.find_by_login(user.login) == louder
        with refused(stores, Conflict):
            stored_user(stores, login=user.login)

    def test_a_groups_name_in_other_case_is_its_own(self, stores: Stores) -> None:
        group = stored_group(stores)
        louder = newer(group, name=group.name.upper())
        stores.groups.replace(group, louder, None, record())
        assert stores.groups.find_by_name(group.name) == louder


class TestWhoIsBannedIsNoAdministrator:
    def test_a_grant_to_somebody_banned_makes_none_until_the_ban_is_lifted(self, empty_stores: Stores) -> None:
        stores, admin = empty_stores, stored_user(empty_stores, SYSTEM_ADMIN)
        role = making.role(id=SYSTEM_ADMIN)
        stores.roles.create(role, record())
        banned = stored_user(stores, banned=True)
        stores.roles.grant(banned, making.admin(banned), role, record())
        with refused(stores, Conflict):
            stores.accounts.delete(admin, record())
        back = newer(newer(banned), banned=False)
        stores.accounts.replace(newer(banned), back, True, record())
        stores.accounts.delete(admin, record())
        with refused(stores, Conflict):
            stores.roles.revoke(back, making.admin(back), record())

    def test_an_account_that_begins_banned_makes_none(self, empty_stores: Stores) -> None:
        stores, admin = empty_stores, stored_user(empty_stores, SYSTEM_ADMIN)
        banned = making.user(banned=True)
        stores.accounts.create(banned, [making.admin(banned)], record())
        with refused(stores, Conflict):
            stores.accounts.delete(admin, record())

    def test_deleting_somebody_banned_takes_none_away(self, empty_stores: Stores) -> None:
        first, second = (stored_user(empty_stores, SYSTEM_ADMIN) for _ in range(2))
        banned = newer(first, banned=True)
        empty_stores.accounts.replace(first, banned, True, record())
        empty_stores.accounts.delete(banned, record())
        with refused(empty_stores, Conflict):
            empty_stores.accounts.delete(second, record())
