"""Groups: what they give reaches members at the next request, and never more than the giver has."""

from __future__ import annotations

import pytest

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.group import MAX_DEPTH, MAX_MEMBERSHIPS
from chalicelib.core.access.permissions import READ_SERVICE, READ_USER, UPDATE_GROUP, UPDATE_USER
from chalicelib.core.access.role import SYSTEM_ADMIN
from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, StaleWrite
from chalicelib.core.common.paging import Window
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import OUTERMOST, GroupDescription
from chalicelib.core.directory.service_descriptions import ServiceDescription
from tests.conftest import Scene


class Cast:
    """A user with a token for Keyturn, and roles to give."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.product = scene.product
        self.administrator = scene.caller()
        for key, permissions in {
            "reader": [READ_USER],
            "manager": [UPDATE_USER, READ_SERVICE],
            "grouper": [UPDATE_GROUP, READ_USER],
        }.items():
            self.product.roles.create(self.administrator, key, key, permissions)
        self.user, self.secret = self.account("user")

    def account(self, login: str) -> tuple[User, str]:
        user = self.product.accounts.create(self.administrator, login, login, AccountType.USER)
        token = self.product.permanent_tokens.create(self.administrator, user.id, "own", ["keyturn"])
        return user, token.secret or ""

    def group(self, name: str, parent: str | None = None, *roles: str) -> str:
        group = self.product.groups.create(self.administrator, GroupDescription(name, parent))
        for role in roles:
            self.product.roles.grant_to_group(self.administrator, group.id, role)
        return group.id

    def now(self) -> Caller:
        """The user, as the next request would see them."""
        return self.scene.caller(self.secret)

    def may_read_users(self) -> bool:
        try:
            self.product.accounts.page(self.now(), Window())
        except Forbidden:
            return False
        return True


@pytest.fixture
def cast(scene: Scene) -> Cast:
    return Cast(scene)


def test_membership_gives_and_leaving_takes(cast: Cast) -> None:
    groups = cast.product.groups
    cast.group("readers", None, "reader")
    assert not cast.may_read_users()
    groups.add_member(cast.administrator, "readers", "user")
    assert cast.may_read_users()
    groups.remove_member(cast.administrator, "readers", "user")
    assert not cast.may_read_users()


def test_nested_groups_give_what_the_outer_ones_have(cast: Cast) -> None:
    groups, roles = cast.product.groups, cast.product.roles
    cast.group("outer")
    cast.group("middle", "outer")
    cast.group("inner", "middle")
    groups.add_member(cast.administrator, "inner", "user")
    grant, _ = roles.grant_to_group(cast.administrator, "outer", "reader")
    assert cast.may_read_users()
    groups.update(cast.administrator, "middle", GroupDescription(parent=OUTERMOST))
    assert not cast.may_read_users()
    groups.update(cast.administrator, "middle", GroupDescription(parent="outer"))
    assert cast.may_read_users()
    roles.revoke_from_group(cast.administrator, "outer", grant.id)
    assert not cast.may_read_users()


def test_a_changed_or_deleted_role_and_a_deleted_group_bind_at_the_next_request(cast: Cast) -> None:
    groups, roles = cast.product.groups, cast.product.roles
    cast.group("readers", None, "reader", "grouper")
    groups.add_member(cast.administrator, "readers", "user")
    assert cast.may_read_users()
    roles.update(cast.administrator, "grouper", None, None, [UPDATE_GROUP])
    roles.update(cast.administrator, "reader", None, None, [READ_SERVICE])
    assert not cast.may_read_users()
    roles.update(cast.administrator, "reader", None, None, [READ_USER])
    assert cast.may_read_users()
    roles.delete(cast.administrator, "reader")
    assert not cast.may_read_users()
    roles.create(cast.administrator, "reader", "reader", [READ_USER])
    assert not cast.may_read_users()  # another role of the same key is another role
    roles.grant_to_group(cast.administrator, "readers", "reader")
    assert cast.may_read_users()
    groups.delete(cast.administrator, "readers")
    assert not cast.may_read_users()


def test_acting_on_behalf_compares_what_groups_give_too(cast: Cast) -> None:
    bot = cast.scene.bot.id
    cast.product.roles.grant(cast.administrator, "user", "manager")
    tokens = cast.product.permanent_tokens
    tokens.create(cast.now(), bot, "first", ["ci"])
    cast.group("outer", None, "reader")
    cast.group("inner", "outer")
    cast.product.groups.add_member(cast.administrator, "inner", bot)
    with pytest.raises(Forbidden, match="This account has permissions that you lack: Read User"):
        tokens.create(cast.now(), bot, "second", ["ci"])
    cast.product.groups.add_member(cast.administrator, "outer", "user")
    tokens.create(cast.now(), bot, "second", ["ci"])


@pytest.mark.parametrize("change", ["group granted", "outer granted", "role widened", "moved", "member added"])
def test_a_token_is_not_written_when_what_was_compared_has_changed(cast: Cast, change: str) -> None:
    groups, roles, bot = cast.product.groups, cast.product.roles, cast.scene.bot.id
    cast.group("outer")
    cast.group("other")
    cast.group("inner", "outer", "reader")
    groups.add_member(cast.administrator, "inner", bot)
    required_permissions = cast.product.access.of(bot)
    owner = cast.product.accounts.find(cast.administrator, bot, Operation.READ_USER)
    {
        "group granted": lambda: roles.grant_to_group(cast.administrator, "inner", "manager"),
        "outer granted": lambda: roles.grant_to_group(cast.administrator, "outer", "manager"),
        "role widened": lambda: roles.update(cast.administrator, "reader", None, None, [READ_USER, UPDATE_USER]),
        "moved": lambda: groups.update(cast.administrator, "outer", GroupDescription(parent="other")),
        "member added": lambda: groups.add_member(cast.administrator, "other", bot),
    }[change]()
    record = cast.administrator.require(Operation.DELETE_TOKEN).record(
        "permanent-token.created", "permanent-token", "x"
    )
    with pytest.raises(StaleWrite):
        cast.product.stores.tokens.create(cast.scene.token.token, owner, required_permissions, record)


def test_nobody_puts_anybody_into_a_group_that_has_more_than_they(cast: Cast) -> None:
    groups, roles = cast.product.groups, cast.product.roles
    roles.grant(cast.administrator, "user", "grouper")
    cast.group("harmless", None, "reader")
    cast.group("powerful", None, SYSTEM_ADMIN)
    cast.group("inside", "powerful")
    groups.add_member(cast.now(), "harmless", "user")
    for group in ("powerful", "inside"):
        with pytest.raises(Forbidden, match="you lack: every permission"):
            groups.add_member(cast.now(), group, "user")
    with pytest.raises(Forbidden, match="you lack: every permission"):
        groups.update(cast.now(), "harmless", GroupDescription(parent="inside"))
    with pytest.raises(Forbidden):
        roles.grant_to_group(cast.now(), "harmless", "manager")


def test_a_group_cannot_be_inside_of_itself_nor_too_deep(cast: Cast) -> None:
    groups = cast.product.groups
    cast.group("level 1")
    for level in range(2, MAX_DEPTH + 1):
        cast.group(f"level {level}", f"level {level - 1}")
    for parent in ("level 1", "level 2", f"level {MAX_DEPTH}"):
        with pytest.raises(Conflict) as refusal:
            groups.update(cast.administrator, "level 1", GroupDescription(parent=parent))
        assert refusal.value.field == "parent"
    with pytest.raises(Conflict, match="deep"):
        cast.group("too deep", f"level {MAX_DEPTH}")


def test_a_group_moves_within_its_own_chain(cast: Cast) -> None:
    groups = cast.product.groups
    outer, middle = cast.group("outer"), cast.group("middle", "outer")
    inner = cast.group("inner", "outer")
    assert groups.update(cast.administrator, inner, GroupDescription(parent=middle)).parent_id == middle
    assert groups.update(cast.administrator, inner, GroupDescription(parent=outer)).parent_id == outer
    assert [groups.get(cast.administrator, id).subgroups for id in (outer, middle, inner)] == [2, 0, 0]


def test_a_group_with_subgroups_stays(cast: Cast) -> None:
    groups = cast.product.groups
    cast.group("outer")
    cast.group("inner", "outer")
    with pytest.raises(Conflict, match="subgroups"):
        groups.delete(cast.administrator, "outer")
    groups.delete(cast.administrator, "inner")
    groups.delete(cast.administrator, "outer")
    with pytest.raises(NotFound):
        groups.get(cast.administrator, "outer")


def test_a_name_is_unique_whatever_its_case_and_free_after_deletion(cast: Cast) -> None:
    cast.group("Team Ä")
    with pytest.raises(Conflict) as refusal:
        cast.group("team ä")
    assert refusal.value.field == "name"
    cast.product.groups.delete(cast.administrator, "TEAM Ä")
    cast.group("team ä")


def test_members_come_in_parts_with_their_number(cast: Cast) -> None:
    groups = cast.product.groups
    cast.group("team")
    for number in range(5):
        user, _ = cast.account(f"member-{number}")
        groups.add_member(cast.administrator, "team", user.id)
    with pytest.raises(Conflict, match="already"):
        groups.add_member(cast.administrator, "team", "member-1")
    page = groups.members(cast.administrator, "team", Window(1, 3))
    assert (len(page.items), page.total) == (3, 5)
    cast.product.accounts.delete(cast.administrator, "member-1")
    groups.remove_member(cast.administrator, "team", "member-2")
    with pytest.raises(NotFound):
        groups.remove_member(cast.administrator, "team", "member-2")
    page = groups.members(cast.administrator, "team", Window())
    assert {user.login for user in page.items} == {"member-0", "member-3", "member-4"}
    assert page.total == 3


def test_an_account_in_as_many_groups_as_can_be_is_deleted_and_every_group_counts_right(cast: Cast) -> None:
    groups = cast.product.groups
    names = [f"group {number}" for number in range(MAX_MEMBERSHIPS)]
    for name in names:
        cast.group(name)
        groups.add_member(cast.administrator, name, "user")
    cast.group("one too many")
    with pytest.raises(Conflict, match=f"at most {MAX_MEMBERSHIPS} groups"):
        groups.add_member(cast.administrator, "one too many", "user")
    for number in range(20):
        cast.product.permanent_tokens.create(cast.administrator, "user", f"token {number}", ["ci"])
    cast.product.accounts.delete(cast.administrator, "user")
    assert [groups.members(cast.administrator, name, Window()).total for name in names] == [0] * MAX_MEMBERSHIPS


def test_grants_are_bounded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.core.directory.roles.MAX_GRANTS", 2)
    roles = cast.product.roles
    cast.group("team", None, "reader", "manager")
    roles.grant(cast.administrator, "user", "reader")
    for refused in (
        lambda: roles.grant_to_group(cast.administrator, "team", "grouper"),
        lambda: roles.grant(cast.administrator, "user", "grouper"),
    ):
        with pytest.raises(Conflict, match="at most 2 grants"):
            refused()


def test_members_of_a_services_group_see_it_and_may_put_it_on_their_tokens(cast: Cast) -> None:
    services, tokens = cast.product.services, cast.product.permanent_tokens
    outer = cast.group("outer")
    cast.group("inner", outer)
    services.update(cast.administrator, "ci", ServiceDescription(groups=[outer]))
    assert [service.key for service in services.page(cast.now(), Window()).items] == ["keyturn"]
    cast.product.groups.add_member(cast.administrator, "inner", "user")
    assert [service.key for service in services.page(cast.now(), Window()).items] == ["ci", "keyturn"]
    tokens.create(cast.now(), "me", "token", ["ci"])
    with pytest.raises(Invalid):
        tokens.create(cast.now(), "me", "other", ["deploy"])
    with pytest.raises(Forbidden):
        services.update(cast.now(), "ci", ServiceDescription(name="x"))
    with pytest.raises(Invalid, match="no group"):
        services.update(cast.administrator, "ci", ServiceDescription(groups=["nothing"]))


def test_an_explanation_names_role_and_groups(cast: Cast) -> None:
    cast.group("outer", None, "reader")
    cast.group("inner", "outer")
    cast.product.groups.add_member(cast.administrator, "inner", "user")
    explained = {
        scoped_permission.permission: paths
        for scoped_permission, paths in cast.product.permissions.explain(cast.now(), "me")
    }
    assert [group.name for group in explained[READ_USER][0].through] == ["inner", "outer"]
    with pytest.raises(Refusal):
        cast.product.permissions.explain(cast.scene.caller(cast.account("stranger")[1]), "user")


def test_built_in_roles_cannot_be_changed(cast: Cast) -> None:
    for refused in (
        lambda: cast.product.roles.update(cast.administrator, SYSTEM_ADMIN, None, "x", None),
        lambda: cast.product.roles.delete(cast.administrator, "registered-user"),
    ):
        with pytest.raises(Conflict, match="built in"):
            refused()


def test_an_administrator_by_group_alone_does_not_count_as_the_last_one(cast: Cast) -> None:
    """Whoever can leave a group could lock everybody out otherwise."""
    cast.group("administrators", None, SYSTEM_ADMIN)
    cast.product.groups.add_member(cast.administrator, "administrators", "user")
    with pytest.raises(Conflict, match="last administrator"):
        cast.product.accounts.update(cast.now(), "admin", AccountChange(banned=True))
