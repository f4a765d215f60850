"""What stands where an id can stand is never taken for another thing: no name is like an id."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from unittest.mock import patch

import pytest

from chalicelib.core.access.account import AccountType, Owner, OwnerKind, User
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.access.rules import Operation
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid, NotFound
from chalicelib.core.common.identifiers import is_id, new_id
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from tests.conftest import Scene, origin

ID = "aB3dEf6hIjKl"
Naming = Callable[[Scene, Caller, str], object]
NAMINGS: dict[str, tuple[str, Naming]] = {
    "a new login": ("login", lambda scene, by, name: account(scene, name)),
    "another login": (
        "login",
        lambda scene, by, name: scene.product.accounts.update(by, scene.bot.id, AccountChange(login=name)),
    ),
    "a new service's key": (
        "key",
        lambda scene, by, name: scene.product.services.register(by, ServiceDescription(key=name, name="A service")),
    ),
    "another key of a service": (
        "key",
        lambda scene, by, name: scene.product.services.update(by, "ci", ServiceDescription(key=name)),
    ),
    "a new role's key": (
        "key",
        lambda scene, by, name: scene.product.roles.create(by, name, "A role", ["0-0-0-0-0:read-user"]),
    ),
    "another key of a role": (
        "key",
        lambda scene, by, name: scene.product.roles.update(by, "reader", name, None, None),
    ),
    "a new group's name": ("name", lambda scene, by, name: scene.product.groups.create(by, GroupDescription(name))),
    "another name of a group": (
        "name",
        lambda scene, by, name: scene.product.groups.update(by, "team", GroupDescription(name)),
    ),
}


def account(scene: Scene, login: str, type: AccountType = AccountType.USER) -> User:
    """A new account."""
    return scene.product.accounts.create(scene.caller(), login, "Somebody", type)


def older(scene: Scene, login: str) -> User:
    """An account from before names could not be like ids."""
    with patch.object(validation, "not_an_id", lambda value, field: value):
        return account(scene, login)


@pytest.fixture
def scene(scene: Scene) -> Scene:
    by = scene.caller()
    scene.product.groups.create(by, GroupDescription("team"))
    scene.product.roles.create(by, "reader", "Reader", ["0-0-0-0-0:read-user"])
    return scene


def test_every_new_id_has_the_form_of_one() -> None:
    assert all(is_id(new_id()) for _ in range(500))


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("name", [ID, "me", "Current", "0", "0-0-0-0-0"])
def test_no_new_name_can_be_taken_for_an_id(scene: Scene, naming: str, name: str) -> None:
    field, do = NAMINGS[naming]
    with pytest.raises(Invalid, match="look like an id" if name == ID else "reserved") as refusal:
        do(scene, scene.caller(), name)
    assert refusal.value.field == field


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("name", ["buildmachine", "buildagent01", "BUILDAGENT01", "BuildMachine", "aB3dEf6hIjK"])
def test_other_names_of_letters_and_digits_are_given(scene: Scene, naming: str, name: str) -> None:
    NAMINGS[naming][1](scene, scene.caller(), name)


def test_an_older_name_that_is_like_an_id_stays(scene: Scene) -> None:
    user, accounts, by = older(scene, ID), scene.product.accounts, scene.caller()
    assert accounts.find(by, ID, Operation.READ_USER).id == user.id
    assert accounts.update(by, ID, AccountChange(login=ID, name="Other")).name == "Other"


def test_an_older_administrator_gets_a_token_by_such_a_login(scene: Scene) -> None:
    user = older(scene, ID)
    scene.product.roles.grant(scene.caller(), user.id, SYSTEM_ADMIN)
    assert scene.product.first_administrator.issue(ID, origin()).owner.id == user.id


@pytest.mark.parametrize("spelled", [str.lower, str.upper])
def test_the_id_of_an_account_that_is_gone_leads_nowhere_however_a_login_is_spelled(
    scene: Scene, spelled: Callable[[str], str]
) -> None:
    """Logins that differ in case are the same, and ids that do are not."""
    product, by = scene.product, scene.caller()
    gone = account(scene, "gone")
    product.accounts.delete(by, gone.id)
    account(scene, spelled(gone.id))
    with pytest.raises(NotFound):
        product.roles.grant(by, gone.id, SYSTEM_ADMIN)


def test_the_id_of_a_group_that_is_gone_leads_nowhere(scene: Scene) -> None:
    product, by = scene.product, scene.caller()
    gone = product.groups.get(by, "team")
    product.groups.delete(by, gone.id)
    product.groups.create(by, GroupDescription(gone.id.lower()))
    with pytest.raises(NotFound):
        product.roles.grant_to_group(by, gone.id, "reader")


def test_the_id_of_a_service_that_is_gone_leads_nowhere(scene: Scene) -> None:
    product, by = scene.product, scene.caller()
    product.services.delete(by, "deploy")
    product.services.register(by, ServiceDescription(key=scene.deploy.service.id.lower(), name="Another"))
    assert not product.services.resolve([scene.deploy.service.id])


def test_a_groups_id_is_the_groups_also_where_an_older_login_is_the_same(scene: Scene) -> None:
    product, by = scene.product, scene.caller()
    group = product.groups.get(by, "team")
    older(scene, group.id)
    bot = product.accounts.create(by, "robot", "Robot", AccountType.BOT, owner=group.id)
    assert bot.owner == Owner(OwnerKind.GROUP, group.id)
    assert product.all_grants.holder(by, group.id) == group


def test_the_id_of_a_group_that_one_may_not_see_is_no_login_either(scene: Scene) -> None:
    product, by = scene.product, scene.caller()
    group = product.groups.get(by, "team")
    older(scene, group.id)
    product.roles.create(by, "clerk", "Clerk", ["0-0-0-0-0:read-user", "0-0-0-0-0:create-user"])
    jo = account(scene, "jo")
    product.roles.grant(by, jo.id, "clerk")
    clerk = replace(by, user=jo, permissions=product.access.of(jo.id).permissions)
    with pytest.raises(Invalid, match="that you may see"):
        product.accounts.create(clerk, "robot", "Robot", AccountType.BOT, owner=group.id)
