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
