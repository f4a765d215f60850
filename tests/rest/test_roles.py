"""`/roles` and `/users/{id}/projectroles`."""

from tests.conftest import Scene
from tests.rest.calling import Client


def test_a_role_is_created_given_and_taken(scene: Scene, administrator: Client) -> None:
    role = administrator.post(
        "/roles", {"key": "reader", "name": "Reader", "permissions": [{"id": "0-0-0-0-0:read-service"}]}
    ).json
    assert administrator.get("/roles/reader").json == role
    body = {"role": {"key": "reader"}, "project": {"key": "ci"}}
    grant = administrator.post("/users/build-bot/projectroles", body).json
    assert grant["role"]["name"] == "Reader"
    assert grant["project"] == {"id": scene.ci.service.id, "name": "Build server", "type": "service"}
    assert administrator.post("/users/build-bot/projectroles", body).status == 409
    listed = administrator.get("/users/build-bot/projectroles", fields="role(key),project(name)").json
    assert {"role": {"key": "reader"}, "project": {"name": "Build server"}} in listed["projectroles"]
    assert administrator.delete(f"/users/build-bot/projectroles/{grant['id']}").status == 200
    assert administrator.delete(f"/users/build-bot/projectroles/{grant['id']}").status == 404


def test_the_built_in_roles_are_there(administrator: Client) -> None:
    assert [role["key"] for role in administrator.get("/roles").json["roles"]] == ["registered-user", "system-admin"]


def test_what_is_not_there_cannot_be_given(administrator: Client) -> None:
    grants = "/users/build-bot/projectroles"
    assert administrator.post(grants, {"role": {"key": "nothing"}}).status == 404
    answer = administrator.post(grants, {"role": {"key": "system-admin"}, "project": {"key": "nothing"}})
    assert (answer.status, answer.json["error_field"]) == (400, "project")
    answer = administrator.post("/roles", {"key": "x", "name": "x", "permissions": [{"id": "nothing:at-all"}]})
    assert (answer.status, answer.json["error_field"]) == (400, "permissions")


def test_the_grants_of_everybody_are_in_one_list(scene: Scene, administrator: Client) -> None:
    group = administrator.post("/usergroups", {"name": "bots"}).json
    administrator.post("/roles", {"key": "reader", "name": "Reader", "permissions": [{"id": "0-0-0-0-0:read-user"}]})
    fields = "id,role(key),project(id),owner(id,name,type)"
    given = {
        "bots": administrator.post(
            "/projectroles", {"owner": {"id": "bots"}, "role": {"key": "reader"}}, fields=fields
        ),
        "build-bot": administrator.post(
            "/projectroles",
            {"owner": {"login": "build-bot"}, "role": {"key": "reader"}, "project": {"key": "ci"}},
            fields=fields,
        ),
    }
    assert given["bots"].json["owner"] == {"id": group["id"], "name": "bots", "type": "userGroup"}
    assert given["build-bot"].json["owner"] == {"id": scene.bot.id, "name": "Build bot", "type": "bot"}
    assert given["build-bot"].json["project"] == {"id": scene.ci.service.id}

    def listed(query: str) -> list[str]:
        shown = administrator.get("/projectroles", query=query, fields="id").json
        assert shown["total"] == len(shown["projectroles"])
        return sorted(each["id"] for each in shown["projectroles"])

    both = sorted(answer.json["id"] for answer in given.values())
    assert listed("role: reader") == both
    assert set(both) < set(listed(""))
    assert listed("group: bots") == [given["bots"].json["id"]]
    assert listed("user: build-bot and role: reader") == [given["build-bot"].json["id"]]
    assert administrator.get("/projectroles", query="role: nothing").status == 400
    for answer in given.values():
        place = f"/projectroles/{answer.json['id']}"
        assert administrator.delete(place).status == 200
        assert administrator.delete(place).status == 404
    assert listed("role: reader") == []
    administrator.post("/projectroles", {"owner": {"id": "bots"}, "role": {"key": "reader"}})
    administrator.delete("/usergroups/bots")
    assert listed("role: reader") == []


def test_all_permissions_say_whose_they_are(administrator: Client) -> None:
    administrator.post("/services/ci", {"permissions": [{"key": "run", "name": "Run"}]})
    shown = administrator.get("/permissions", fields="id,name,service(key)").json
    assert {"id": "0-0-0-0-0:read-user", "name": "Read User", "service": {"key": "keyturn"}} in shown["permissions"]
    assert [each["name"] for each in shown["permissions"] if each["service"]["key"] == "ci"] == ["Run"]
    assert shown["total"] == len(shown["permissions"])
