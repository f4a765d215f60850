"""Requests that others wrote for JetBrains Hub, replayed as they stand.

Those of Hub's own pages (https://www.jetbrains.com/help/hub/…): the sample of "Permanent Token
Authorization", and the calls of the reference pages "Users", "Permanent Tokens of User", "Application
Passwords of User", "User Groups", "Users of User Group", "Project Roles of User", "Services", "Roles" and
"Permissions", with all parameters that these pages name. And those that scripts in public repositories make
with `requests`, `fetch` or `curl`. `{…}` stands for an id of the scene.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.rest.contract.fields import parse
from tests.conftest import Scene
from tests.rest.calling import Answer, send

# Of Hub's documented fields, those of which Keyturn has none.
NOT_OURS = {
    "jabber",
    "avatar",
    "locale",
    "refreshTokens",
    "approvedScopes",
    "viewers",
    "description",
    "global",
    "userUriPattern",
    "iconUrl",
}
ENVELOPE = {"skip", "top", "total"}

PERMANENT_TOKEN_PAGE = (
    "/usergroups/{group}/users?$skip=0&$top=50&fields=id,login,banned,name,profile(email,jabber,avatar),"
    "projectRoles(project(id,name),role(id,name)),groups(id,name,iconUrl,parent(id,name,parent(id,name,"
    "parent(id,name,parent(id,name,parent(id,name)))))),total&orderBy=login:asc&query="
)
READING = [
    PERMANENT_TOKEN_PAGE,
    # Hub's reference pages
    "/users?fields=id,login,name,creationTime,lastAccessTime&$skip=0&$top=10&query=login:+build-bot&orderBy=login:asc,name:desc",
    "/users?query=is:+banned&fields=id,login,banned,banReason",
    "/users?query=group:+{{developers}}&fields=id,login,groups(id,name),transitiveGroups(id,name)",
    "/users/{user}?fields=id,login,name,banned,guest,permanentTokens(id,name,scope(id,key,name),author(id,name))",
    "/users/{user}?fields=id,applicationPasswords(id,name),twoFactorAuthentication(id)",
    "/users/me",
    "/users/me?fields=id,profile(email(email,verified),locale),refreshTokens(id),approvedScopes(id,client(name))",
    "/services/{service}?fields=id,name,viewers(id),userUriPattern",
    "/roles/system-admin?fields=id,key,description",
    "/permissions?fields=id,key,global,service(key)",
    "/users/{user}/permanenttokens?fields=id,name,scope(id,name),user(id,login),author(id,name),creationTime,"
    "lastAccessTime&$skip=0&$top=100&query=&orderBy=name:asc",
    "/users/{user}/permanenttokens/{token}?fields=id,name,creationTime,lastAccessTime",
    "/users/{user}/applicationpasswords?fields=id,name,user(id),creationTime,lastAccessTime&$skip=0&$top=10",
    "/users/{user}/projectroles?fields=id,role(id,key,name),project(id,name)",
    "/usergroups?fields=id,name,parent(id,name),users(id,login),projectRoles(id,role(name))&orderBy=name:asc&query=name:+developers",
    "/usergroups/{group}?fields=id,name,requiredTwoFactorAuthentication",
    "/services?fields=id,key,name,applicationName,vendor,version,homeUrl,baseUrls,redirectUris,trusted,"
    "permissions(id,key,name),defaultRoles(id)&$skip=0&$top=10&orderBy=name:asc",
    "/services/{service}?fields=id,key,name",
    "/roles?fields=id,key,name,permissions(id)&$skip=0&$top=100&query=&orderBy=name:asc",
    "/projectroles?fields=id,role(id,name),project(id,name),owner(id,name)&$skip=0&$top=100&query=role:+system-admin",
    "/permissions?fields=id,key,name,service(id,name)&$skip=0&$top=100",
    # scripts in public repositories
    "/users/me?fields=login",
    "/users?query=login:build-bot&fields=id,login,banned",
    "/users?query=build-bot&fields=id,login&$top=5",
    "/users?query=build&$top=1000",
    "/users/{user}/permanenttokens?fields=id,name&$top=100",
    "/users/me/permanenttokens?fields=id,name",
    "/services?fields=id,applicationName&query=applicationName:YouTrack",
]


@pytest.fixture
def ids(scene: Scene, administrator: object) -> dict[str, str]:
    """A bot in nested groups, with a grant and a token, and a service of some application."""
    group: dict[str, Any] = {}
    for name in ("all", "engineers", "developers"):
        parent = {"parent": {"id": group["id"]}} if group else {}
        group = hub(scene, "POST", "/usergroups", {"name": name, **parent}).json
    hub(scene, "POST", f"/usergroups/{group['id']}/users", {"id": scene.bot.id})
    hub(scene, "POST", f"/users/{scene.bot.id}/projectroles", {"role": {"key": "system-admin"}, "project": {"id": "0"}})
    hub(scene, "POST", "/services/ci", {"applicationName": "YouTrack", "redirectUris": ["https://ci.example.com/cb"]})
    profile = {"email": {"type": "EmailJSON", "email": "bot@example.com", "verified": False}}
    hub(scene, "POST", f"/users/{scene.bot.id}", {"profile": profile})
    return {
        "user": scene.bot.id,
        "group": group["id"],
        "token": scene.token.token.id,
        "service": scene.ci.service.id,
    }


def hub(scene: Scene, method: str, path: str, body: object = None) -> Answer:
    """As `curl` and Hub's page send it."""
    headers = {"authorization": f"Bearer {scene.administrator.secret}", "accept": "application/json, text/plain, */*"}
    if body is not None:
        headers["content-type"] = "application/json"
    answer = send(method, f"/api/rest{path}", headers, None if body is None else json.dumps(body))
    assert answer.status == 200, answer.text
    return answer


def has_what_was_asked_for(value: object, fields: str) -> None:
    """The value, or each of a list, has exactly these fields, at every depth."""
    _compare(value, parse(fields))


def _compare(value: object, selection: dict[str, Any] | None) -> None:
    if selection is None or value is None:
        return
    if isinstance(value, list):
        for each in value:
            _compare(each, selection)
        return
    assert isinstance(value, dict)
    assert value.keys() | NOT_OURS | ENVELOPE == selection.keys() | NOT_OURS | ENVELOPE
    for name, inner in selection.items():
        if name in value:
            _compare(value[name], inner)


@pytest.mark.parametrize("request_line", READING)
def test_what_is_read_has_the_shape_that_was_asked_for(scene: Scene, ids: dict[str, str], request_line: str) -> None:
    path = request_line.format(**ids)
    answer = hub(scene, "GET", path).json
    collection = next((name for name, value in answer.items() if isinstance(value, list) and "total" in answer), None)
    shown = answer[collection] if collection else answer
    if collection:
        assert answer.keys() == {*ENVELOPE, collection}
        assert shown or "query=is:+banned" in path or "applicationpasswords" in path
    if "fields=" in path:
        has_what_was_asked_for(shown, path.partition("fields=")[2].partition("&")[0])


def test_the_sample_of_hubs_page_about_permanent_tokens(scene: Scene, ids: dict[str, str]) -> None:
    (user,) = hub(scene, "GET", PERMANENT_TOKEN_PAGE.format(**ids)).json["users"]
    assert user["profile"] == {"email": {"type": "EmailJSON"}}
    assert {role["role"]["name"] for role in user["projectRoles"]} == {"System Admin", "Registered User"}
    assert user["groups"] == [
        {
            "id": ids["group"],
            "name": "developers",
            "parent": {
                "id": user["groups"][0]["parent"]["id"],
                "name": "engineers",
                "parent": {"id": user["groups"][0]["parent"]["parent"]["id"], "name": "all", "parent": None},
            },
        }
    ]


def test_a_token_is_created_and_deleted_as_scripts_do_it(scene: Scene, ids: dict[str, str]) -> None:
    found = hub(scene, "GET", "/services?fields=id,applicationName&query=applicationName:YouTrack").json["services"]
    service = next(each for each in found if each["applicationName"] == "YouTrack")
    body = {"name": "devops-setup-1", "scope": [{"id": "0-0-0-0-0"}, {"id": service["id"]}]}
    made = hub(scene, "POST", "/users/me/permanenttokens?fields=token", body).json
    assert made.keys() == {"token"}
    assert scene.is_good(made["token"])
    listed = hub(scene, "GET", "/users/me/permanenttokens?fields=id,name").json["permanenttokens"]
    token = next(each for each in listed if each["name"] == "devops-setup-1")
    hub(scene, "DELETE", f"/users/me/permanenttokens/{token['id']}")
    assert not scene.is_good(made["token"])


def test_a_token_as_hubs_reference_describes_it(scene: Scene, ids: dict[str, str]) -> None:
    """Page "Add Permanent Token": the whole object, with what the server alone decides."""
    body = {
        "type": "permanentToken",
        "id": "",
        "name": "From the reference",
        "token": "",
        "scope": [{"type": "service", "id": ids["service"], "key": "ci", "name": "Build server", "homeUrl": "x"}],
        "user": {"type": "user", "id": ids["user"], "login": "build-bot", "name": "Build bot"},
        "author": {"id": "nobody"},
        "creationTime": 0,
        "lastAccessTime": 0,
    }
    made = hub(scene, "POST", f"/users/{ids['user']}/permanenttokens?fields=id,token,user(id),author(name)", body).json
    assert made["user"] == {"id": ids["user"]}
    assert made["author"] == {"name": "Administrator"}
    assert scene.is_good(made["token"])


def test_an_account_is_banned_as_scripts_do_it(scene: Scene, ids: dict[str, str]) -> None:
    answer = hub(scene, "POST", f"/users/{ids['user']}?fields=id,login,banned", {"banned": True}).json
    assert answer == {"id": ids["user"], "login": "build-bot", "banned": True}
    assert not scene.is_good(scene.token.secret)


@pytest.mark.parametrize("kind", ["users/{user}", "usergroups/{group}", "services/{service}"])
def test_what_was_read_can_be_sent_back(scene: Scene, ids: dict[str, str], kind: str) -> None:
    """Hub's pages: an update takes the resource's own JSON."""
    path = f"/{kind.format(**ids)}"
    shown = hub(scene, "GET", path).json
    assert hub(scene, "POST", path, shown).json == shown
