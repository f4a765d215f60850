"""A group's demands, a second factor and a policy, stand before all that its members may do, and shut out who does not
meet them: so who changes them has to have all that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import (
    CREATE_GROUP,
    CREATE_ROLE,
    DELETE_GROUP,
    READ_GROUP,
    READ_USER,
    UPDATE_GROUP,
)
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.access.token_policy import Consequence, Policy
from chalicelib.core.common.errors import Forbidden
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from tests.conftest import Scene
from tests.people import Person, person

GROUPER = [READ_USER, READ_GROUP, UPDATE_GROUP, DELETE_GROUP]
STRICT = Policy(longest_life_days=90, unused_days=30, unused=Consequence.DISABLE)
Action = Callable[[Scene, Caller], Any]
CHANGING: dict[str, Action] = {
    "no second factor": lambda scene, by: scene.product.groups.update(
        by, "staff", GroupDescription(requires_two_factor=False)
    ),
    "no policy": lambda scene, by: scene.product.lifecycle.policies.set_for_group(by, "staff", None),
    "a longer life": lambda scene, by: scene.product.lifecycle.policies.set_for_group(
        by, "staff", Policy(91, None, 30)
    ),
    "the group is gone": lambda scene, by: scene.product.groups.delete(by, "staff"),
    "the member leaves": lambda scene, by: scene.product.groups.remove_member(by, "staff", "kim"),
    "out of the group": lambda scene, by: scene.product.groups.update(by, "inner", GroupDescription(parent=OUTERMOST)),
    "a second factor": lambda scene, by: scene.product.groups.update(
        by, "plain", GroupDescription(requires_two_factor=True)
    ),
    "a policy": lambda scene, by: scene.product.lifecycle.policies.set_for_group(by, "plain", Policy(1)),
    "a shorter life": lambda scene, by: scene.product.lifecycle.policies.set_for_group(
        by, "staff", Policy(1, None, 30, Consequence.DISABLE)
    ),
    "into a group that demands": lambda scene, by: scene.product.groups.update(
        by, "plain", GroupDescription(parent="outer")
    ),
    "into a group inside of one that demands": lambda scene, by: scene.product.groups.update(
        by, "plain", GroupDescription(parent="inner")
    ),
    "another member of one that demands": lambda scene, by: scene.product.groups.add_member(by, "outer", "kim"),
    "another member of a group inside of it": lambda scene, by: scene.product.groups.add_member(by, "second", "kim"),
}


@pytest.fixture
def jo(scene: Scene) -> Person:
    """Somebody who manages groups. "kim" is in "staff" and in "inner", inside of "outer", which both demand something,
    and in "plain", which does not; not in "second", inside of "outer" too."""
    by, product = scene.caller(), scene.product
    jo, kim = person(scene), person(scene, "kim")
    product.roles.create(by, "grouper", "Grouper", GROUPER)
    product.roles.grant(by, jo.user.id, "grouper")
    for name, parent in (("staff", None), ("plain", None), ("outer", None), ("inner", "outer"), ("second", "outer")):
        product.groups.create(by, GroupDescription(name, parent))
    for name in ("staff", "outer"):
        product.groups.update(by, name, GroupDescription(requires_two_factor=True))
    product.lifecycle.policies.set_for_group(by, "staff", STRICT)
    for name in ("staff", "inner", "plain"):
        product.groups.add_member(by, name, kim.user.id)
    return jo


@pytest.mark.parametrize("how", CHANGING)
def test_are_not_changed_for_a_member_who_may_do_more(scene: Scene, jo: Person, how: str) -> None:
    scene.product.roles.grant(scene.caller(), "kim", SYSTEM_ADMIN)
    with pytest.raises(Forbidden, match="This account has permissions that you lack"):
        CHANGING[how](scene, jo.log_in())
    CHANGING[how](scene, scene.caller())


@pytest.mark.parametrize("how", CHANGING)
def test_are_changed_for_members_who_may_do_no_more(scene: Scene, jo: Person, how: str) -> None:
    CHANGING[how](scene, jo.log_in())


@pytest.mark.parametrize("how", ["no policy", "a shorter life"])
def test_of_more_members_than_can_be_compared_are_changed_by_a_system_admin_alone(
    scene: Scene, jo: Person, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.core.directory.groups.MAX_COMPARED_MEMBERS", 1)
    scene.product.groups.add_member(scene.caller(), "staff", "build-bot")
    with pytest.raises(Forbidden, match="more than 1 members"):
        CHANGING[how](scene, jo.log_in())
    CHANGING[how](scene, scene.caller())


def test_of_groups_inside_are_changed_by_a_system_admin_alone(scene: Scene, jo: Person) -> None:
    lifted = GroupDescription(requires_two_factor=False)
    with pytest.raises(Forbidden, match="subgroups"):
        scene.product.groups.update(jo.log_in(), "outer", lifted)
    scene.product.groups.update(scene.caller(), "outer", lifted)


def test_nothing_is_compared_for_who_puts_them_on_themselves(scene: Scene, jo: Person) -> None:
    scene.product.roles.create(scene.caller(), "more", "More", [CREATE_ROLE])
    scene.product.roles.grant(scene.caller(), jo.user.id, "more")
    scene.product.groups.add_member(jo.log_in(), "staff", jo.user.id)


def test_nobody_is_shut_out_by_a_group_that_was_made_for_it(scene: Scene, jo: Person) -> None:
    """Which would be a ban, and that is forbidden."""
    scene.product.roles.update(scene.caller(), "grouper", None, None, [*GROUPER, CREATE_GROUP])
    groups, by = scene.product.groups, jo.log_in()
    groups.create(by, GroupDescription("trap", requires_two_factor=True))
    with pytest.raises(Forbidden, match="This account has permissions that you lack: every permission"):
        groups.add_member(by, "trap", "admin")
    groups.create(by, GroupDescription("bait"))
    groups.add_member(by, "bait", "admin")
    with pytest.raises(Forbidden, match="This account has permissions that you lack: every permission"):
        scene.product.lifecycle.policies.set_for_group(by, "bait", STRICT)
