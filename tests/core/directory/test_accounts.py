"""Accounts, and the rule that somebody must always be able to administrate."""

from dataclasses import replace

import pytest

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import FRESH_MS
from chalicelib.core.access.role import SYSTEM_ADMIN, Grant
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, LoginTooOld, NotFound
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.accounts import AccountChange
from tests.conftest import Scene, now
from tests.people import person

ADMIN_GRANT = Grant("", SYSTEM_ADMIN).key


def test_an_account_is_found_by_id_login_and_me(scene: Scene) -> None:
    for reference in (scene.bot.id, "build-bot", "BUILD-BOT"):
        assert scene.product.accounts.find(scene.caller(), reference, Operation.READ_USER).id == scene.bot.id
    assert scene.product.accounts.find(scene.caller(), "me", Operation.READ_USER).login == "admin"


def test_a_login_that_rests_is_given_by_a_system_admin_who_has_just_logged_in(scene: Scene) -> None:
    accounts, by = scene.product.accounts, scene.caller()
    jo = person(scene)
    scene.product.roles.grant(by, jo.user.id, SYSTEM_ADMIN)
    accounts.delete(by, accounts.create(by, "olga", "Olga", AccountType.USER).id)
    stale = replace(jo.log_in(), now=now() + 2 * FRESH_MS)
    with pytest.raises(LoginTooOld):
        accounts.create(stale, "olga", "Olga", AccountType.USER)
    assert accounts.create(jo.log_in(), "olga", "Olga", AccountType.USER)


@pytest.mark.parametrize("reference", ["nobody", "x" * 3000, "a b", "\x00", "USER#1", ""])
def test_what_names_nobody_is_not_found(scene: Scene, reference: str) -> None:
    with pytest.raises(NotFound):
        scene.product.accounts.find(scene.caller(), reference, Operation.READ_USER)


def test_a_login_is_taken_whatever_its_case_and_free_after_a_change(scene: Scene) -> None:
    accounts = scene.product.accounts
    with pytest.raises(Conflict) as refusal:
        accounts.create(scene.caller(), "Build-Bot", "Other", AccountType.BOT)
    assert refusal.value.field == "login"
    accounts.update(scene.caller(), "build-bot", AccountChange(login="builder"))
    other = accounts.create(scene.caller(), "Build-Bot", "Other", AccountType.BOT)
    with pytest.raises(Conflict):
        accounts.update(scene.caller(), other.id, AccountChange(login="builder"))
    assert accounts.update(scene.caller(), other.id, AccountChange(login="build-bot")).login == "build-bot"


def test_a_change_that_changes_nothing_writes_nothing(scene: Scene) -> None:
    same = scene.product.accounts.update(scene.caller(), scene.bot.id, AccountChange(name=scene.bot.name))
    assert same.revision == scene.bot.revision


def test_lifting_a_ban_drops_its_reason(scene: Scene) -> None:
    accounts = scene.product.accounts
    banned = accounts.update(scene.caller(), scene.bot.id, AccountChange(banned=True, ban_reason="leaked"))
    assert banned.ban_reason == "leaked"
    assert accounts.update(scene.caller(), scene.bot.id, AccountChange(banned=False)).ban_reason is None


def test_people_rename_themselves_and_change_nothing_else(scene: Scene) -> None:
    accounts = scene.product.accounts
    user = accounts.create(scene.caller(), "user", "User", AccountType.USER)
    own = scene.product.permanent_tokens.create(scene.caller(), user.id, "own", ["keyturn"])
    caller = scene.caller(own.secret)
    assert accounts.update(caller, "me", AccountChange(name="New Name")).name == "New Name"
    for change in (AccountChange(login="other"), AccountChange(banned=True), AccountChange(ban_reason="x")):
        with pytest.raises(Forbidden):
            accounts.update(caller, "me", change)
    for refused in (
        lambda: accounts.update(caller, scene.bot.id, AccountChange(name="x")),
        lambda: accounts.delete(caller, "me"),
        lambda: accounts.page(caller, Window()),
        lambda: accounts.create(caller, "x", "X", AccountType.BOT),
        lambda: accounts.find(caller, "nobody", *AccountChange(name="x").operations),
    ):
        with pytest.raises(Forbidden):
            refused()


def test_accounts_come_by_login_in_parts_with_their_number(scene: Scene) -> None:
    for login in ("Zoe", "adam", "mia"):
        scene.product.accounts.create(scene.caller(), login, login, AccountType.USER)
    page = scene.product.accounts.page(scene.caller(), Window(skip=1, top=3))
    assert [user.login for user in page.items] == ["admin", "build-bot", "mia"]
    assert page.total == 5
    scene.product.accounts.delete(scene.caller(), "mia")
    assert scene.product.accounts.page(scene.caller(), Window(0, 0)).total == 4


def test_the_last_administrator_stays(scene: Scene) -> None:
    accounts, roles = scene.product.accounts, scene.product.roles
    for locked_out in (
        lambda: accounts.update(scene.caller(), "admin", AccountChange(banned=True)),
        lambda: accounts.delete(scene.caller(), "admin"),
        lambda: roles.revoke(scene.caller(), "admin", ADMIN_GRANT),
    ):
        with pytest.raises(Conflict, match="last administrator"):
            locked_out()


def test_an_administrator_goes_when_another_is_there(scene: Scene) -> None:
    accounts, roles = scene.product.accounts, scene.product.roles
    second = accounts.create(scene.caller(), "second", "Second", AccountType.USER)
    roles.grant(scene.caller(), second.id, SYSTEM_ADMIN)
    accounts.update(scene.caller(), second.id, AccountChange(banned=True))
    with pytest.raises(Conflict):  # a banned administrator does not count
        roles.revoke(scene.caller(), "admin", ADMIN_GRANT)
    accounts.update(scene.caller(), second.id, AccountChange(banned=False))
    roles.revoke(scene.caller(), second.id, ADMIN_GRANT)
    with pytest.raises(Conflict):
        accounts.delete(scene.caller(), "admin")
    roles.grant(scene.caller(), second.id, SYSTEM_ADMIN)
    caller = scene.caller()
    accounts.delete(caller, "admin")
    with pytest.raises(Conflict):
        accounts.delete(caller, second.id)


def test_a_large_account_is_deleted_whole(scene: Scene) -> None:
    secrets = [
        scene.product.permanent_tokens.create(scene.caller(), scene.bot.id, f"token {number}", ["ci"]).secret
        for number in range(60)
    ]
    scene.product.accounts.delete(scene.caller(), scene.bot.id)
    assert not any(map(scene.is_good, secrets))
    assert scene.product.stores.tokens.list(scene.bot.id) == []


@pytest.mark.parametrize("change", [{"login": "a b"}, {"name": ""}, {"ban_reason": "\u202e"}])
def test_bad_values_are_refused_by_name(scene: Scene, change: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refusal:
        scene.product.accounts.update(scene.caller(), scene.bot.id, AccountChange(**change))
    assert refusal.value.field.lower() == next(iter(change)).replace("_", "")


def test_names_are_known_of_accounts_that_one_may_read(scene: Scene) -> None:
    jo = person(scene)
    ids = [jo.user.id, scene.bot.id, "nobody"]
    assert set(scene.product.accounts.known(scene.caller(), ids)) == {jo.user.id, scene.bot.id}
    assert set(scene.product.accounts.known(jo.log_in(), ids)) == {jo.user.id}
