"""`/usergroups` by Hub's contract, and the explanation of permissions."""

from tests.conftest import Scene
from tests.rest.calling import Client


def test_a_group_has_hubs_fields_and_is_found_by_id_and_name(administrator: Client) -> None:
    outer = administrator.post("/usergroups", {"name": "All bots"}).json
    body = {"name": "Build bots", "parent": {"id": outer["id"]}, "requiredTwoFactorAuthentication": True}
    created = administrator.post("/usergroups", body).json
    assert created == {
        "id": created["id"],
        "type": "userGroup",
        "name": "Build bots",
        "parent": {"id": outer["id"], "name": "All bots", "type": "userGroup"},
        "requiredTwoFactorAuthentication": True,
        "creationTime": created["creationTime"],
    }
    assert administrator.get(f"/usergroups/{created['id']}").json == created
    assert administrator.get("/usergroups/build%20bots").json == created
    assert [group["name"] for group in administrator.get("/usergroups").json["usergroups"]] == [
        "All bots",
        "Build bots",
    ]
    place = f"/usergroups/{created['id']}"
    assert administrator.post(place, {"parent": None}, fields="parent").json == {"parent": None}
    assert administrator.post(place, {"name": "x"}, fields="name,parent").json == {"name": "x", "parent": None}
    assert administrator.delete(place).status == 200
    assert administrator.get(place).status == 404


def test_members_are_added_listed_and_removed(scene: Scene, administrator: Client) -> None:
    administrator.post("/usergroups", {"name": "bots"})
    assert administrator.post("/usergroups/bots/users", {"login": "build-bot"}).json["id"] == scene.bot.id
    assert administrator.post("/usergroups/bots/users", {"id": scene.bot.id}).status == 409
    assert administrator.get("/usergroups/bots/users", fields="login").json["users"] == [{"login": "build-bot"}]
    assert administrator.delete("/usergroups/bots/users/build-bot").status == 200
    assert administrator.get("/usergroups/bots/users").json["total"] == 0
    answer = administrator.post("/usergroups/bots/users", {})
    assert (answer.status, answer.json["error_field"]) == (400, "id")


def test_roles_are_given_to_groups_and_permissions_explained(administrator: Client) -> None:
    administrator.post("/usergroups", {"name": "bots"})
    administrator.post("/usergroups/bots/users", {"login": "build-bot"})
    administrator.post("/roles", {"key": "reader", "name": "Reader", "permissions": [{"id": "0-0-0-0-0:read-user"}]})
    grant = administrator.post("/usergroups/bots/projectroles", {"role": {"key": "reader"}}).json
    assert administrator.get("/usergroups/bots/projectroles").json["projectroles"] == [grant]
    explained = administrator.get("/users/build-bot/permissions", fields="name,ways(name)").json["permissions"]
    assert {"name": "Read User", "ways": [{"name": "bots › Reader"}]} in explained
    changed = administrator.post("/roles/reader", {"name": "Lookup"}, fields="name").json
    assert changed == {"name": "Lookup"}
    assert administrator.delete(f"/usergroups/bots/projectroles/{grant['id']}").status == 200
    assert administrator.delete("/roles/reader").status == 200
    assert administrator.get("/usergroups/bots/projectroles").json["total"] == 0


def test_a_service_names_the_groups_that_see_it(administrator: Client) -> None:
    group = administrator.post("/usergroups", {"name": "bots"}).json
    changed = administrator.post("/services/ci", {"groups": [{"id": group["id"]}]}, fields="groups(id)").json
    assert changed == {"groups": [{"id": group["id"]}]}
