"""Who takes powers from somebody has to have them: or else they would make an account weaker, and then take it over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.access.caller import FRESH_MS, Caller
from chalicelib.core.access.group import MAX_DEPTH
from chalicelib.core.access.permissions import KEYTURN_PERMISSIONS, READ_SELF
from chalicelib.core.access.role import MAX_GRANTS
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, Forbidden, LoginTooOld
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from chalicelib.core.directory.service_descriptions import PermissionDeclaration, ServiceDescription
from tests.conftest import Scene
from tests.people import PASSWORD, Person, person

Action = Callable[[Scene, Caller], Any]
DESCRIBED = GroupDescription


def _revoke(scene: Scene, by: Caller) -> None:
    (grant,) = [grant for grant, role in scene.product.roles.grants(by, "kim") if role.key == "deployer"]
    scene.product.roles.revoke(by, "kim", grant.key)


def _revoke_from_group(scene: Scene, by: Caller) -> None:
    ((grant, _),) = scene.product.roles.grants_of_group(by, "deployers")
    scene.product.roles.revoke_from_group(by, "deployers", grant.key)


TAKING: dict[str, Action] = {
    "a role from an account": _revoke,
    "a role from a group": _revoke_from_group,
    "a role from everybody": lambda scene, by: scene.product.roles.delete(by, "deployer"),
    "a member from a group": lambda scene, by: scene.product.groups.remove_member(by, "inner", "kim"),
    "a group": lambda scene, by: scene.product.groups.delete(by, "inner"),
    "a group from another": lambda scene, by: scene.product.groups.update(by, "inner", DESCRIBED(parent=OUTERMOST)),
}
CHANGING: dict[str, Action] = {
    "permissions from a role": lambda scene, by: scene.product.roles.update(by, "deployer", None, None, [READ_SELF]),
    "a role its key": lambda scene, by: scene.product.roles.update(by, "deployer", "other", None, None),
    "a role its name": lambda scene, by: scene.product.roles.update(by, "deployer", None, "Other", None),
    "a group its name": lambda scene, by: scene.product.groups.update(by, "inner", DESCRIBED("other")),
    "a group to another": lambda scene, by: scene.product.groups.update(by, "inner", DESCRIBED(parent="plain")),
}


@pytest.fixture
def jo(scene: Scene) -> Person:
    """Somebody with every named permission of Keyturn. "kim" has one of a service, too: by the role "deployer", and by
    "inner", inside of "deployers"."""
    by, product = scene.caller(), scene.product
    jo = person(scene)
    person(scene, "kim")
    product.services.update(by, "deploy", ServiceDescription(permissions=[PermissionDeclaration("run", "Run")]))
    product.roles.create(by, "deployer", "Deployer", [f"{scene.deploy.service.id}:run"])
    product.roles.create(by, "manager", "Manager", list(KEYTURN_PERMISSIONS))
    product.roles.grant(by, jo.user.id, "manager")
    product.roles.grant(by, "kim", "deployer", "ci")
    for name, parent in (("deployers", None), ("inner", "deployers"), ("plain", None)):
        product.groups.create(by, GroupDescription(name, parent))
    product.roles.grant_to_group(by, "deployers", "deployer", "ci")
    product.groups.add_member(by, "inner", "kim")
    return jo


@pytest.mark.parametrize("what", [*TAKING, *CHANGING])
def test_nobody_takes_what_they_do_not_have(scene: Scene, jo: Person, what: str) -> None:
    before = scene.product.access.of(scene.product.accounts.find(scene.caller(), "kim", Operation.READ_USER).id)
    with pytest.raises(Forbidden, match=r"lack.*:run"):
        {**TAKING, **CHANGING}[what](scene, jo.log_in())
    assert scene.product.access.of(scene.product.accounts.find(scene.caller(), "kim", Operation.READ_USER).id) == before
    with pytest.raises(Forbidden):
        scene.product.passwords.set(jo.log_in(), "kim", PASSWORD, None)


@pytest.mark.parametrize("what", [*TAKING, *CHANGING])
def test_who_has_it_takes_it(scene: Scene, jo: Person, what: str) -> None:
    scene.product.roles.grant(scene.caller(), jo.user.id, "deployer")
    {**TAKING, **CHANGING}[what](scene, jo.log_in())


@pytest.mark.parametrize("what", ["a role from an account", "a group", "a member from a group", "a group from another"])
def test_where_it_is_granted_is_enough(scene: Scene, jo: Person, what: str) -> None:
    scene.product.roles.grant(scene.caller(), jo.user.id, "deployer", "ci")
    TAKING[what](scene, jo.log_in())


@pytest.mark.parametrize("what", TAKING)
def test_an_old_login_does_not_hold_it_up(scene: Scene, jo: Person, what: str) -> None:
    scene.product.roles.grant(scene.caller(), jo.user.id, "deployer")
    session = jo.attempt()
    jo.wait(FRESH_MS + 1)
    TAKING[what](scene, jo.caller(session))


@pytest.mark.parametrize("what", CHANGING)
def test_what_changes_more_needs_a_login_from_just_now(scene: Scene, jo: Person, what: str) -> None:
    scene.product.roles.grant(scene.caller(), jo.user.id, "deployer")
    session = jo.attempt()
    jo.wait(FRESH_MS + 1)
    with pytest.raises(LoginTooOld):
        CHANGING[what](scene, jo.caller(session))


@pytest.mark.parametrize("what", ["a member from a group", "a group", "a group from another"])
def test_it_does_not_fail_by_how_much_there_is(scene: Scene, jo: Person, what: str) -> None:
    """More groups and roles than one change can insist on."""
    by, product = scene.caller(), scene.product
    product.roles.grant(by, jo.user.id, "deployer")
    for number in range(2 * MAX_GRANTS - 1):
        product.roles.create(by, f"role-{number}", "Role", [READ_SELF])
        product.roles.grant_to_group(by, "inner" if number < MAX_GRANTS else "deployers", f"role-{number}")
    with pytest.raises(Conflict, match="cannot be compared safely"):
        product.groups.add_member(jo.log_in(), "inner", "build-bot")
    TAKING[what](scene, jo.log_in())


def test_keys_of_roles_are_not_swapped_under_an_administrators_hand(scene: Scene, jo: Person) -> None:
    roles, by = scene.product.roles, jo.log_in()
    roles.create(by, "harmless", "Harmless", [READ_SELF])
    roles.update(by, "harmless", "aside", None, None)
    with pytest.raises(Forbidden, match="You lack permissions of this role"):
        roles.update(by, "deployer", "harmless", None, None)


def test_a_grant_of_a_role_that_is_gone_gives_nothing_and_is_revoked(scene: Scene, jo: Person) -> None:
    roles = scene.product.roles
    (grant,) = [grant for grant, role in roles.grants(scene.caller(), "kim") if role.key == "deployer"]
    roles.delete(scene.caller(), "deployer")
    roles.revoke(jo.log_in(), "kim", grant.key)


def test_a_group_with_subgroups_is_put_into_another_by_a_system_admin_alone(scene: Scene, jo: Person) -> None:
    """Who moves the outermost again and again would bury those inside: each level is read at each of their requests."""
    groups, by = scene.product.groups, jo.log_in()
    groups.create(by, GroupDescription("leaf", "plain"))
    groups.create(by, GroupDescription("above"))
    buried = GroupDescription(parent="above")
    with pytest.raises(Forbidden, match=f"nested more than {MAX_DEPTH} levels deep"):
        groups.update(by, "plain", buried)
    groups.update(by, "leaf", buried)
    groups.update(by, "plain", buried)
    groups.update(by, "leaf", GroupDescription(parent="plain"))
    groups.update(scene.caller(), "deployers", GroupDescription(parent="above"))
