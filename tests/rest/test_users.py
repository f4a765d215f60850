"""`/users` by Hub's contract."""

import pytest

from tests.conftest import Scene
from tests.rest.calling import Client, send


def test_a_user_has_hubs_fields(scene: Scene, administrator: Client) -> None:
    answer = administrator.get("/users/build-bot")
    assert answer.status == 200
    assert answer.json == {
        "id": scene.bot.id,
        "type": "bot",
        "login": "build-bot",
        "name": "Build bot",
        "banned": False,
        "banReason": None,
        "description": None,
        "guest": False,
        "profile": {"type": "profile"},
        "creationTime": scene.bot.created,
    }


def test_bots_belong_to_somebody_and_show_up_when_they_do_not(administrator: Client) -> None:
    jo = administrator.post("/users", {"login": "jo", "name": "Jo Doe"}).json
    body = {"login": "deployer", "name": "Deployer", "type": "bot", "owner": {"login": "jo"}, "description": "Nightly"}
    fields = "login,description,owner(id,name,type),ownerless"
    assert administrator.post("/users", body, fields=fields).json == {
        "login": "deployer",
        "description": "Nightly",
        "owner": {"id": jo["id"], "name": "Jo Doe", "type": "user"},
        "ownerless": False,
    }
    assert administrator.get("/users", query="owner: jo", fields="login").json["users"] == [{"login": "deployer"}]
    administrator.delete("/users/jo")
    shown = administrator.get("/users", query="is: ownerless", fields="login,ownerless").json
    assert shown["users"] == [{"login": "deployer", "ownerless": True}]
    administrator.post("/usergroups", {"name": "All Hands"})
    administrator.post("/users/deployer", {"owner": {"id": "All Hands"}, "description": ""})
    shown = administrator.get("/users/deployer", fields="description,owner(name,type),ownerless").json
    assert shown == {
        "description": None,
        "owner": {"name": "All Hands", "type": "userGroup"},
        "ownerless": False,
    }
    assert administrator.post("/users/deployer", {"owner": None}, fields="owner").json == {"owner": None}


@pytest.mark.parametrize("owner", [{"login": "nobody"}, {"login": "build-bot"}, {"id": "no such group"}])
def test_only_a_person_or_group_that_exists_can_own_a_bot(administrator: Client, owner: dict[str, str]) -> None:
    answer = administrator.post("/users/build-bot", {"owner": owner})
    assert (answer.status, answer.json["error_field"]) == (400, "owner")
    assert administrator.post("/users/admin", {"owner": {"login": "admin"}}).status == 400


def test_a_search_in_hubs_words(administrator: Client) -> None:
    for login, name in (("jo", "Jo Doe"), ("joan", "Ann Arc"), ("kim", "Jona Kim")):
        administrator.post("/users", {"login": login, "name": name})
    administrator.post("/users/joan", {"banned": True})

    def found(query: str, order: str = "") -> list[str]:
        shown = administrator.get("/users", query=query, orderBy=order, fields="login").json
        return [user["login"] for user in shown["users"]]

    assert found("login: jo") == ["jo"]
    assert found("login: jo*") == ["jo", "joan"]
    assert found("jo") == ["jo", "joan", "kim"]
    assert found("jo", "name:asc") == ["joan", "jo", "kim"]
    assert found("jo and is: banned") == ["joan"]
    assert found("name: {jo doe}") == ["jo"]
    assert found("is: bot") == ["build-bot"]


def test_me_is_the_caller(administrator: Client) -> None:
    assert administrator.get("/users/me", fields="login,name").json == {"login": "admin", "name": "Administrator"}


def test_what_hangs_on_an_account_comes_if_asked_for(scene: Scene, administrator: Client) -> None:
    outer = administrator.post("/usergroups", {"name": "all"}).json
    administrator.post("/usergroups", {"name": "bots", "parent": {"id": outer["id"]}})
    administrator.post("/usergroups/bots/users", {"login": "build-bot"})
    administrator.post("/usergroups/all/projectroles", {"role": {"key": "system-admin"}, "project": {"key": "ci"}})
    fields = (
        "login,groups(name),transitiveGroups(name),projectRoles(role(key),project(id)),"
        "transitiveProjectRoles(role(key),project(key)),permanentTokens(name,scope(key))"
    )
    expected = {
        "login": "build-bot",
        "groups": [{"name": "bots"}],
        "transitiveGroups": [{"name": "bots"}, {"name": "all"}],
        "projectRoles": [{"role": {"key": "registered-user"}, "project": {"id": "0"}}],
        "transitiveProjectRoles": [
            {"role": {"key": "registered-user"}, "project": {"key": "global"}},
            {"role": {"key": "system-admin"}, "project": {"key": "ci"}},
        ],
        "permanentTokens": [{"name": "build", "scope": [{"key": "ci"}]}],
    }
    assert administrator.get("/users/build-bot", fields=fields).json == expected
    assert expected in administrator.get("/users", fields=fields).json["users"]
    assert administrator.get("/users/build-bot", fields="permanentTokens(token)").status == 400
    assert administrator.get("/users/build-bot", fields="permanentTokens(user(groups(id)))").status == 400


def test_a_collection_comes_in_hubs_envelope(administrator: Client) -> None:
    answer = administrator.get("/users", **{"$skip": 1, "$top": 5, "fields": "login,total"})
    assert answer.json == {"skip": 1, "top": 5, "total": 2, "users": [{"login": "build-bot"}]}


def test_a_larger_page_than_allowed_is_cut_and_says_so(administrator: Client) -> None:
    assert administrator.get("/users", **{"$top": 5_000}).json["top"] == 100


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"$skip": "-1"}, "$skip"),
        ({"$skip": "10001"}, "$skip"),
        ({"$skip": "٣"}, "$skip"),
        ({"$top": "many"}, "$top"),
        ({"$top": "9" * 40}, "$top"),
        ({"fields": "nickname"}, "fields"),
        ({"feilds": "id"}, "feilds"),
        ({"query": "is: purple"}, "query"),
        ({"orderBy": "colour:asc"}, "orderBy"),
    ],
)
def test_bad_parameters_are_refused_by_name(administrator: Client, query: dict[str, str], field: str) -> None:
    answer = administrator.get("/users", **query)
    assert answer.status == 400
    assert answer.json["error_field"] == field


def test_an_account_is_created_changed_and_deleted(administrator: Client) -> None:
    created = administrator.post("/users", {"login": "new", "name": "New", "type": "bot"})
    assert created.status == 200
    place = f"/users/{created.json['id']}"
    changed = administrator.post(place, {"name": "Newer", "banned": True, "banReason": "test"}, fields="name,banReason")
    assert changed.json == {"name": "Newer", "banReason": "test"}
    assert administrator.delete(place).status == 200
    assert administrator.get(place).status == 404
    assert administrator.delete(place).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "login"),
        ({"login": "x"}, "name"),
        ({"login": 1, "name": "x"}, "login"),
        ({"login": "a b", "name": "x"}, "login"),
        ({"login": "x", "name": None}, "name"),
        ({"login": "x", "name": "x", "type": "robot"}, "type"),
        ({"login": "x", "name": "x", "permissions": ["*"]}, "permissions"),
        ([], "body"),
        ("x", "body"),
    ],
)
def test_bad_bodies_are_refused_by_name(administrator: Client, body: object, field: str) -> None:
    answer = administrator.post("/users", body)
    assert answer.status == 400
    assert answer.json["error_field"] == field


def test_what_nobody_may_set_is_ignored(administrator: Client) -> None:
    body = {"login": "x", "name": "X", "id": "chosen", "creationTime": 1, "guest": True, "aliases": []}
    created = administrator.post("/users", body).json
    assert created["id"] != "chosen"
    assert created["creationTime"] != 1
    assert created["guest"] is False


def test_a_taken_login_is_a_conflict(administrator: Client) -> None:
    answer = administrator.post("/users", {"login": "BUILD-BOT", "name": "x"})
    assert (answer.status, answer.json["error_field"]) == (409, "login")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic eDp5", "bearer ktp_" + "0" * 73, "Bearer \x00"]
)
def test_without_a_good_token_there_is_a_challenge(scene: Scene, header: str | None) -> None:
    answer = send("GET", "/api/rest/users/me", {} if header is None else {"authorization": header})
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="keyturn"')
    assert answer.json["error"] == "invalid_token"


def test_a_token_for_another_service_has_too_little_scope(scene: Scene) -> None:
    answer = Client(scene.token.secret or "").get("/users/me")
    assert answer.status == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


def test_answers_are_not_to_be_stored(administrator: Client) -> None:
    assert administrator.get("/users/me").headers["cache-control"] == "no-store"


def test_an_accounts_last_access_is_that_of_its_credentials(scene: Scene, administrator: Client) -> None:
    fields = "lastAccessTime,permanentTokens(lastAccessTime)"
    assert administrator.get("/users/build-bot", fields=fields).json == {
        "lastAccessTime": None,
        "permanentTokens": [{"lastAccessTime": None}],
    }
    assert scene.is_good(scene.token.secret)
    shown = administrator.get("/users/build-bot", fields=fields).json
    assert shown["lastAccessTime"] == shown["permanentTokens"][0]["lastAccessTime"] >= scene.bot.created


def test_an_email_address_is_part_of_the_profile(administrator: Client) -> None:
    body = {"login": "jo", "name": "Jo", "profile": {"email": {"email": "jo@example.com"}}}
    fields = "profile(email(email,verified))"
    shown = {"profile": {"email": {"email": "jo@example.com", "verified": False}}}
    assert administrator.post("/users", body, fields=fields).json == shown
    assert administrator.post("/users/jo", {"name": "Jo Doe"}, fields=fields).json == shown
    assert administrator.post("/users/jo", {"profile": {"email": None}}, fields=fields).json == {
        "profile": {"email": None}
    }
    answer = administrator.post("/users/jo", {"profile": {"email": {"email": "not an address"}}})
    assert (answer.status, answer.json["error_field"]) == (400, "profile.email.email")
