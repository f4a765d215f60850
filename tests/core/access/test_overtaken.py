"""What an operation opens is compared before it is written, and the write finds it as it was compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import Caller, Opening
from chalicelib.core.access.permissions import READ_GROUP, READ_USER, UPDATE_GROUP, UPDATE_USER
from chalicelib.core.access.token_policy import Policy
from chalicelib.core.common.errors import Forbidden
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from tests.conftest import Scene
from tests.people import Person, person

Action = Callable[[Scene, Caller], Any]
OPENING: dict[str, Action] = {
    "a name": lambda scene, by: scene.product.accounts.update(by, "robot", AccountChange(name="Other")),
    "a login": lambda scene, by: scene.product.accounts.update(by, "robot", AccountChange(login="other")),
    "an owner": lambda scene, by: scene.product.accounts.update(by, "robot", AccountChange(owner="jo")),
    "the end of a ban": lambda scene, by: scene.product.accounts.update(by, "barred", AccountChange(banned=False)),
    "a policy": lambda scene, by: scene.product.lifecycle.policies.set_for_group(by, "team", Policy(unused_days=9)),
    "the end of a demand": lambda scene, by: scene.product.groups.update(
        by, "team", GroupDescription(requires_two_factor=False)
    ),
    "the end of a demand by a move": lambda scene, by: scene.product.groups.update(
        by, "inner", GroupDescription(parent=OUTERMOST)
    ),
    "the end of a demand, and a move": lambda scene, by: scene.product.groups.update(
        by, "team", GroupDescription(requires_two_factor=False, parent="other")
    ),
    "a token": lambda scene, by: scene.product.permanent_tokens.create(by, "robot", "new", ["ci"]),
}


@pytest.fixture
def jo(scene: Scene) -> Person:
    """Somebody who may manage accounts and groups; "robot" and "barred" are in the group "team", which has a role."""
    by, product = scene.caller(), scene.product
    jo = person(scene)
    product.roles.create(by, "manager", "Manager", [READ_USER, UPDATE_USER, READ_GROUP, UPDATE_GROUP])
    product.roles.create(by, "reader", "Reader", [READ_USER])
    product.roles.grant(by, jo.user.id, "manager")
    product.services.update(by, "ci", _seen_by(scene, jo))
    product.groups.create(by, GroupDescription(name="team", requires_two_factor=True))
    product.groups.create(by, GroupDescription(name="demanding", requires_two_factor=True))
    product.groups.create(by, GroupDescription(name="inner", parent="demanding"))
    product.groups.create(by, GroupDescription(name="other"))
    for group in ("team", "inner"):
        product.roles.grant_to_group(by, group, "reader")
    for login in ("robot", "barred"):
        product.accounts.create(by, login, login.title(), AccountType.BOT)
        product.groups.add_member(by, "team", login)
    product.accounts.update(by, "barred", AccountChange(banned=True))
    return jo


def _seen_by(scene: Scene, jo: Person) -> Any:
    from chalicelib.core.directory.service_descriptions import ServiceDescription

    seen = scene.product.groups.create(scene.caller(), GroupDescription(name="developers"))
    scene.product.groups.add_member(scene.caller(), seen.id, jo.user.id)
    return ServiceDescription(groups=[seen.id])


@pytest.mark.parametrize("what", OPENING)
def test_a_role_that_is_widened_meanwhile_is_compared_again(
    scene: Scene, jo: Person, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    access, by = scene.product.access, jo.log_in()

    def overtaken(compare: Callable[..., Opening]) -> Callable[..., Opening]:
        def compared(*asked: Any) -> Opening:
            opening = compare(*asked)
            scene.product.roles.update(scene.caller(), "reader", None, None, [READ_USER, "0-0-0-0-0:delete-user"])
            return opening

        return compared

    for name in ("opening_of_account", "opening_of_group"):
        monkeypatch.setattr(access, name, overtaken(getattr(access, name)))
    with pytest.raises(Forbidden, match="Delete User"):
        OPENING[what](scene, by)


@pytest.mark.parametrize("what", OPENING)
def test_without_that_it_is_done(scene: Scene, jo: Person, what: str) -> None:
    OPENING[what](scene, jo.log_in())


MEANWHILE: dict[str, Callable[[Scene, str], Any]] = {
    "a role is granted to it": lambda scene, id: scene.product.roles.grant(scene.caller(), id, "keeper"),
    "it is added to a group": lambda scene, id: scene.product.groups.add_member(scene.caller(), "keepers", id),
}


@pytest.fixture
def kim(scene: Scene, jo: Person) -> Person:
    """Somebody with a second factor, whom jo may help as long as no more is granted."""
    by, product = scene.caller(), scene.product
    product.roles.create(by, "keeper", "Keeper", ["0-0-0-0-0:delete-user"])
    product.groups.create(by, GroupDescription(name="keepers"))
    product.roles.grant_to_group(by, "keepers", "keeper")
    kim = person(scene, "kim")
    kim.turn_on_2fa()
    return kim


@pytest.mark.parametrize("what", MEANWHILE)
def test_second_factors_are_not_taken_off_who_gets_more_meanwhile(
    scene: Scene, jo: Person, kim: Person, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It insists on no groups and roles, so that it cannot fail by how many there are; but on the account."""
    factors, access, by = scene.product.second_factors, scene.product.access, jo.log_in()
    compare, once = access.opening_of_account, [MEANWHILE[what]]

    def compared(*asked: Any) -> Opening:
        opening = compare(*asked)
        while once:
            once.pop()(scene, kim.user.id)
        return opening

    monkeypatch.setattr(access, "opening_of_account", compared)
    with pytest.raises(Forbidden, match="Delete User"):
        factors.turn_off(by, "kim")
    assert factors.status(scene.caller(), "kim").authenticators.two_factor


def test_else_they_are(scene: Scene, jo: Person, kim: Person) -> None:
    scene.product.second_factors.turn_off(jo.log_in(), "kim")
    assert not scene.product.second_factors.status(scene.caller(), "kim").authenticators.two_factor
