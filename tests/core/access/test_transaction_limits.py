"""Where it is the sum that counts: what is made on behalf of somebody who has very much."""

from __future__ import annotations

import pytest

from chalicelib.core.access.account import AccountType
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.group import MAX_MEMBERSHIPS
from chalicelib.core.access.permissions import (
    CREATE_GROUP,
    DELETE_GROUP,
    READ_GROUP,
    READ_USER,
    UPDATE_GROUP,
    UPDATE_USER,
)
from chalicelib.core.access.role import MAX_GRANTS
from chalicelib.core.access.transaction_limits import MAX_TOGETHER
from chalicelib.core.common.errors import Conflict, Forbidden
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.tokens.token import MAX_LABELS, TokenDetails
from tests.conftest import Scene, origin
from tests.people import Person, person

LABELS = tuple(f"label-{number}" for number in range(MAX_LABELS))
OTHERS = tuple(f"other-{number}" for number in range(MAX_LABELS))
HARMLESS = [READ_USER]


class Crowd:
    """A person in many groups and with many roles, and a manager who may do all that this gives, but not everything."""

    def __init__(self, scene: Scene, groups: int, roles: int) -> None:
        self.scene, self.product = scene, scene.product
        self.administrator = scene.caller()
        self.owner: Person = person(scene)
        for number in range(groups):
            group = self.product.groups.create(self.administrator, GroupDescription(f"group {number}"))
            self.product.groups.add_member(self.administrator, group.id, "jo")
        for number in range(roles - 1):  # everybody has one already
            self.product.roles.create(self.administrator, f"role-{number}", "Role", HARMLESS)
            self.product.roles.grant(self.administrator, "jo", f"role-{number}")
        scoped_permissions = [READ_USER, UPDATE_USER, READ_GROUP, UPDATE_GROUP, CREATE_GROUP, DELETE_GROUP]
        self.product.roles.create(self.administrator, "manager", "Manager", scoped_permissions)
        user = self.product.accounts.create(self.administrator, "manager", "Manager", AccountType.USER)
        self.product.roles.grant(self.administrator, user.id, "manager")
        own = self.product.permanent_tokens.create(self.administrator, user.id, "own", ["keyturn"])
        self.manager: Caller = self.product.authentication.caller(own.secret or "", origin())

    def nest(self) -> None:
        """One group more, which one of the others is in: more than what fits together."""
        outer = self.product.groups.create(self.administrator, GroupDescription("outer"))
        self.product.groups.update(self.administrator, "group 0", GroupDescription(parent=outer.id))

    def create(self, caller: Caller, labels: tuple[str, ...], name: str = "token") -> str:
        token = self.product.permanent_tokens.create(
            caller, "jo", name, ["keyturn"], details=TokenDetails(labels=labels)
        )
        return token.token.id


def test_groups_roles_and_labels_count_together(scene: Scene) -> None:
    crowd = Crowd(scene, groups=MAX_MEMBERSHIPS - 1, roles=MAX_GRANTS - 9)
    fitting = MAX_TOGETHER - (MAX_MEMBERSHIPS - 1) - (MAX_GRANTS - 9)
    crowd.create(crowd.manager, LABELS[:fitting])
    with pytest.raises(Conflict, match=f"39 groups and 41 roles and changes {fitting + 1} labels.*{MAX_TOGETHER}"):
        crowd.create(crowd.manager, LABELS[: fitting + 1], "too much")


def test_whoever_has_every_permission_and_the_owner_are_not_held_up(scene: Scene) -> None:
    crowd = Crowd(scene, groups=MAX_MEMBERSHIPS, roles=MAX_GRANTS)
    crowd.nest()
    tokens = crowd.product.permanent_tokens
    for number, caller in enumerate((crowd.administrator, crowd.owner.log_in())):
        token = crowd.create(caller, LABELS, f"token {number}")
        changed = tokens.update(
            caller, "jo", token, f"renamed {number}", ["keyturn"], None, TokenDetails(labels=OTHERS)
        )
        assert changed.token.labels == OTHERS
    with pytest.raises(Conflict, match="cannot be compared safely"):
        crowd.create(crowd.manager, ())


def test_taking_away_from_somebody_who_has_very_much_is_compared_and_never_too_much(scene: Scene) -> None:
    crowd = Crowd(scene, groups=MAX_MEMBERSHIPS, roles=MAX_GRANTS)
    crowd.nest()
    tokens = crowd.product.permanent_tokens
    token = tokens.create(
        crowd.administrator,
        "jo",
        "token",
        ["keyturn", "ci"],
        details=TokenDetails(labels=LABELS, networks=["192.0.2.0/24"]),
    ).token.id
    narrowed = tokens.update(crowd.manager, "jo", token, "narrower", ["keyturn"], details=TokenDetails(labels=()))
    assert (narrowed.token.scope, narrowed.token.labels) == (("0-0-0-0-0",), ())
    with pytest.raises(Conflict, match="cannot be compared safely"):
        tokens.update(crowd.manager, "jo", token, None, None, details=TokenDetails(networks=[]))
    crowd.owner.turn_on_2fa()
    crowd.product.second_factors.turn_off(crowd.manager, "jo")
    crowd.owner.totp_secret = ""
    crowd.owner.turn_on_2fa()
    crowd.product.roles.grant_to_group(crowd.administrator, "group 0", "system-admin")
    with pytest.raises(Forbidden, match="you lack"):
        crowd.product.second_factors.turn_off(crowd.manager, "jo")
    with pytest.raises(Forbidden, match="you lack"):
        tokens.update(crowd.manager, "jo", token, None, ["keyturn"])
    tokens.delete(crowd.manager, "jo", token)


def test_a_group_that_gives_very_much(scene: Scene) -> None:
    """Two levels with as many roles as a group can hold."""
    crowd = Crowd(scene, groups=0, roles=1)
    roles, groups = crowd.product.roles, crowd.product.groups
    groups.create(crowd.administrator, GroupDescription("outer"))
    groups.create(crowd.administrator, GroupDescription("inner", "outer"))
    for number in range(2 * MAX_GRANTS):
        roles.create(crowd.administrator, f"given-{number}", "Given", HARMLESS)
        roles.grant_to_group(crowd.administrator, ("outer", "inner")[number % 2], f"given-{number}")
    with pytest.raises(Conflict, match="2 groups and 100 roles"):
        groups.add_member(crowd.manager, "inner", "jo")
    with pytest.raises(Conflict, match="2 groups and 100 roles"):
        groups.create(crowd.manager, GroupDescription("innermost", "inner"))
    groups.add_member(crowd.administrator, "inner", "jo")
    groups.create(crowd.administrator, GroupDescription("innermost", "inner"))
    groups.remove_member(crowd.manager, "inner", "jo")
    groups.delete(crowd.manager, "innermost")
