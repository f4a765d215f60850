"""A group's demands, a second factor and a policy, stand before all that its members may do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.core.caller import Caller
from chalicelib.core.errors import Forbidden
from chalicelib.core.operations.groups import OUTERMOST, GroupDescription
from chalicelib.core.permissions import DELETE_GROUP, READ_GROUP, READ_USER, UPDATE_GROUP
from chalicelib.core.policies import Consequence, Policy, loosens
from chalicelib.core.roles import SYSTEM_ADMIN
from tests.conftest import Scene
from tests.people import Person, person

STRICT = Policy(longest_life_days=90, unused_days=30, unused=Consequence.DISABLE)
Action = Callable[[Scene, Caller], Any]
LIFTING: dict[str, Action] = {
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
}


@pytest.fixture
def jo(scene: Scene) -> Person:
    """Somebody who manages groups. "kim" is in "staff" and in "inner", inside of "outer"; both demand something."""
    by, product = scene.caller(), scene.product
    jo, kim = person(scene), person(scene, "kim")
    product.roles.create(by, "grouper", "Grouper", [READ_USER, READ_GROUP, UPDATE_GROUP, DELETE_GROUP])
    product.roles.grant(by, jo.user.id, "grouper")
    for name, parent in (("staff", None), ("outer", None), ("inner", "outer")):
        product.groups.create(by, GroupDescription(name, parent))
    for name in ("staff", "outer"):
        product.groups.update(by, name, GroupDescription(requires_two_factor=True))
    product.lifecycle.policies.set_for_group(by, "staff", STRICT)
    for name in ("staff", "inner"):
        product.groups.add_member(by, name, kim.user.id)
    return jo


@pytest.mark.parametrize("how", LIFTING)
def test_are_not_lifted_from_a_member_who_may_do_more(scene: Scene, jo: Person, how: str) -> None:
    scene.product.roles.grant(scene.caller(), "kim", SYSTEM_ADMIN)
    with pytest.raises(Forbidden, match="This account has permissions that you lack"):
        LIFTING[how](scene, jo.log_in())
    LIFTING[how](scene, scene.caller())


@pytest.mark.parametrize("how", LIFTING)
def test_are_lifted_from_members_who_may_do_no_more(scene: Scene, jo: Person, how: str) -> None:
    LIFTING[how](scene, jo.log_in())


def test_of_more_members_than_can_be_compared_are_lifted_by_a_system_admin_alone(
    scene: Scene, jo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.core.operations.groups.MAX_COMPARED_MEMBERS", 1)
    scene.product.groups.add_member(scene.caller(), "staff", "build-bot")
    with pytest.raises(Forbidden, match="more than 1 members"):
        LIFTING["no policy"](scene, jo.log_in())
    LIFTING["no policy"](scene, scene.caller())


def test_of_groups_inside_are_lifted_by_a_system_admin_alone(scene: Scene, jo: Person) -> None:
    lifted = GroupDescription(requires_two_factor=False)
    with pytest.raises(Forbidden, match="subgroups"):
        scene.product.groups.update(jo.log_in(), "outer", lifted)
    scene.product.groups.update(scene.caller(), "outer", lifted)


def test_a_stricter_policy_lifts_nothing(scene: Scene, jo: Person) -> None:
    scene.product.roles.grant(scene.caller(), "kim", SYSTEM_ADMIN)
    stricter = Policy(longest_life_days=30, unused_days=30, unused=Consequence.DISABLE, reused=Consequence.REVOKE)
    scene.product.lifecycle.policies.set_for_group(jo.log_in(), "staff", stricter)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, None, False),
        (None, STRICT, False),
        (STRICT, STRICT, False),
        (STRICT, None, True),
        (STRICT, Policy(None, None, 30, Consequence.DISABLE), True),
        (STRICT, Policy(90, None, 31, Consequence.DISABLE), True),
        (STRICT, Policy(90, None, 30), True),
        (Policy(leaked=Consequence.REVOKE), Policy(leaked=Consequence.FLAG), True),
        (Policy(leaked=Consequence.FLAG), Policy(leaked=Consequence.REVOKE), False),
        (Policy(90), Policy(90, 10), False),
    ],
)
def test_what_a_policy_demands_less(old: Policy | None, new: Policy | None, expected: bool) -> None:
    assert loosens(old, new) == expected
