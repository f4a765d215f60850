"""Wherever a thing stands in an answer, it shows no more than its own address would to the same caller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.composition.keyturn import Keyturn
from chalicelib.core.access.account import AccountType
from chalicelib.core.access.permissions import (
    CREATE_USER,
    READ_GROUP,
    READ_ROLE,
    READ_SERVICE,
    READ_USER,
    UPDATE_GROUP,
    UPDATE_ROLE,
    UPDATE_USER,
)
from chalicelib.core.access.rules import Operation
from chalicelib.core.directory.accounts import AccountChange
from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.tokens.token import TokenDetails
from tests.conftest import Install, Scene, set_scene
from tests.rest.calling import Client

EVERYTHING_OF_AN_ACCOUNT = (
    "id,type,login,name,banned,banReason,description,profile(email(email)),creationTime,lastAccessTime,"
    "groups(id),projectRoles(id),permanentTokens(id),twoFactorAuthentication(id)"
)
USERS_FIELDS = "id,type,login,name,banned,banReason,description,profile(email(email)),creationTime"
OUTLINE = {"id", "type", "login", "name"}


@pytest.fixture
def product(install_in_memory: Install, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyturn]:
    yield from install_in_memory(monkeypatch)


@pytest.fixture
def scene(product: Keyturn) -> Scene:
    """In memory; "alice" is in the group "staff", which has the role "worker"."""
    scene = set_scene(product)
    by = scene.caller()
    product.accounts.create(by, "alice", "Alice", AccountType.USER, description="on leave")
    change = AccountChange(banned=True, ban_reason="stolen", email="alice@secret.example")
    product.accounts.update(by, "alice", change)
    product.groups.create(by, GroupDescription("staff", requires_two_factor=True))
    product.groups.add_member(by, "staff", "alice")
    product.roles.create(by, "worker", "Worker", [READ_SERVICE])
    product.roles.grant_to_group(by, "staff", "worker")
    return scene


def client(scene: Scene, *permissions: str) -> Client:
    """Of somebody with these permissions."""
    by, product = scene.caller(), scene.product
    bot = product.accounts.create(by, "caller", "Caller", AccountType.BOT)
    product.roles.create(by, "callers", "Caller", list(permissions))
    product.roles.grant(by, bot.id, "callers")
    return Client(product.permanent_tokens.create(by, bot.id, "api", ["keyturn"]).secret or "")


def test_members_that_one_may_not_read_are_shown_by_id_login_name_and_type(scene: Scene) -> None:
    reader = client(scene, READ_GROUP)
    for fields in (EVERYTHING_OF_AN_ACCOUNT, None):
        asked = {} if fields is None else {"fields": fields}
        (alice,) = reader.get("/usergroups/staff/users", **asked).json["users"]
        assert alice.keys() == OUTLINE
    (nested,) = reader.get("/usergroups/staff", fields=f"users({EVERYTHING_OF_AN_ACCOUNT})").json["users"]
    assert nested.keys() == OUTLINE


def test_members_that_one_may_read_are_shown_whole(scene: Scene) -> None:
    reader = client(scene, READ_GROUP, READ_USER)
    (alice,) = reader.get("/usergroups/staff/users", fields="login,profile(email(email)),banReason").json["users"]
    assert alice == {"login": "alice", "profile": {"email": {"email": "alice@secret.example"}}, "banReason": "stolen"}


@pytest.mark.parametrize("query", ["is: banned", "login: alice is: banned"])
def test_who_may_not_read_members_cannot_search_for_more_of_them_either(scene: Scene, query: str) -> None:
    reader, both = client(scene, READ_GROUP), Client(scene.administrator.secret or "")
    assert both.get("/usergroups/staff/users", query=query).json["total"] == 1
    assert reader.get("/usergroups/staff/users", query=query).status == 403


def test_who_may_not_read_members_finds_them_by_login_and_name(scene: Scene) -> None:
    reader = client(scene, READ_GROUP)
    for query in ("login: al*", "name: Alice", "al"):
        assert [each["login"] for each in reader.get("/usergroups/staff/users", query=query).json["users"]] == ["alice"]


def test_who_changes_an_account_and_may_not_read_it_learns_which_it_is(scene: Scene) -> None:
    alice = scene.product.accounts.find(scene.caller(), "alice", Operation.READ_USER)
    changed = client(scene, UPDATE_USER).post("/users/alice", {"description": "back"}, fields=EVERYTHING_OF_AN_ACCOUNT)
    assert changed.json == {"id": alice.id, "type": "user"}


def test_who_creates_an_account_and_may_not_read_it_learns_what_they_named(scene: Scene) -> None:
    made = client(scene, CREATE_USER).post("/users", {"login": "new", "name": "New"})
    assert made.json.keys() == OUTLINE


def test_who_changes_a_token_and_may_not_read_it_learns_which_it_is(scene: Scene) -> None:
    token, path = scene.token.token, f"/users/build-bot/permanenttokens/{scene.token.token.id}"
    scene.product.permanent_tokens.update(
        scene.caller(), scene.bot.id, token.id, None, None, details=TokenDetails(networks=["192.0.2.0/24"])
    )
    updater, fields = client(scene, UPDATE_USER), "id,type,name,networks,lastUse(address),user(login,profile(email))"
    assert updater.post(path, {"contact": "me"}, fields=fields).json == {"id": token.id, "type": "permanentToken"}
    rotated = updater.post(f"{path}/rotate", {"grace": 0}, fields=f"{fields},token").json
    assert rotated.keys() == {"id", "type", "name", "user", "token"}
    assert rotated["user"] == {"login": "build-bot"}


def test_who_creates_a_token_for_somebody_learns_no_more_of_them(scene: Scene) -> None:
    updater = client(scene, UPDATE_USER, READ_SERVICE)
    body = {"name": "new", "scope": [{"key": "ci"}]}
    made = updater.post("/users/alice/permanenttokens", body, fields=f"token,user({USERS_FIELDS})").json
    assert made["token"]
    assert made["user"].keys() == OUTLINE


def test_a_token_that_is_not_for_keyturn_tells_no_more_of_its_owner(scene: Scene) -> None:
    """It may look at itself."""
    own = Client(scene.token.secret or "").get(
        "/users/me/permanenttokens/current", fields=f"name,networks,user({USERS_FIELDS})"
    )
    assert own.json["name"] == "build"
    assert own.json["user"].keys() == OUTLINE


def test_groups_of_an_account_that_one_may_not_read_are_shown_by_id_and_name(scene: Scene) -> None:
    shown = client(scene, READ_USER).get(
        "/users/alice",
        fields="groups(id,name,requiredTwoFactorAuthentication,creationTime),transitiveProjectRoles(role(key,permissions))",
    )
    (group,) = shown.json["groups"]
    assert group.keys() == {"id", "name"}
    assert all(each["role"].keys() == {"key"} for each in shown.json["transitiveProjectRoles"])


def test_ones_own_groups_are_shown(scene: Scene) -> None:
    own = client(scene, READ_SERVICE)
    scene.product.groups.create(scene.caller(), GroupDescription("plain"))
    scene.product.groups.add_member(scene.caller(), "plain", "caller")
    (group,) = own.get("/users/me", fields="groups(requiredTwoFactorAuthentication)").json["groups"]
    assert group == {"requiredTwoFactorAuthentication": False}


def test_who_changes_a_group_or_role_and_may_not_read_it_learns_which_it_is(scene: Scene) -> None:
    writer = client(scene, UPDATE_GROUP, UPDATE_ROLE, READ_SERVICE)
    group = scene.product.groups.create(scene.caller(), GroupDescription("plain"))
    role = scene.product.roles.get(scene.caller(), "worker")
    changed = writer.post("/usergroups/plain", {"name": "plainer"}, fields="id,type,name,users(login),parent(name)")
    assert changed.json == {"id": group.id, "type": "userGroup"}
    assert writer.post("/roles/worker", {"name": "Works"}).json == {"id": role.id, "type": "role"}


def test_roles_of_a_group_are_shown_with_their_permissions_to_who_may_read_roles(scene: Scene) -> None:
    fields = "projectRoles(role(key,permissions(id)))"
    known = {"role": {"key": "worker", "permissions": [{"id": READ_SERVICE}]}}
    reader = client(scene, READ_GROUP, READ_ROLE)
    assert reader.get("/usergroups/staff", fields=fields).json["projectRoles"] == [known]
