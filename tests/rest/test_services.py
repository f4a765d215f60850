"""`/services` by Hub's contract."""

from tests.conftest import Scene
from tests.rest.calling import Client, introspect


def test_a_service_is_registered_with_its_secret_shown_once(administrator: Client) -> None:
    body = {
        "key": "wiki",
        "name": "Wiki",
        "homeUrl": "https://wiki.example.com",
        "permissions": [{"key": "edit", "name": "Edit pages"}],
    }
    created = administrator.post("/services", body).json
    assert created["secret"].startswith("kts_")
    assert created["permissions"] == [{"id": f"{created['id']}:edit", "type": "permission", "name": "Edit pages"}]
    again = administrator.get("/services/wiki").json
    assert "secret" not in again
    assert again == {name: value for name, value in created.items() if name not in ("secret", "notice")}


def test_a_renewed_secret_replaces_the_old_one(scene: Scene, administrator: Client) -> None:
    renewed = administrator.post("/services/ci/secret", None).json["secret"]
    assert introspect("ci", scene.ci.secret, scene.token.secret or "").status == 401
    assert introspect("ci", renewed, scene.token.secret or "").json["active"]


def test_services_are_listed_changed_and_deleted(administrator: Client) -> None:
    assert [service["key"] for service in administrator.get("/services").json["services"]] == [
        "ci",
        "deploy",
        "keyturn",
    ]
    assert administrator.post("/services/ci", {"name": "CI"}, fields="name").json == {"name": "CI"}
    assert administrator.delete("/services/ci").status == 200
    assert administrator.get("/services/ci").status == 404
    assert administrator.delete("/services/keyturn").status == 409
