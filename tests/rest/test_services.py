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
    renewed = administrator.post("/services/ci/secret", {}).json["secret"]
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


def test_what_a_service_says_of_itself_is_kept_and_its_change_recorded(administrator: Client) -> None:
    described = {
        "applicationName": "TeamCity",
        "vendor": "JetBrains",
        "version": "2026.2",
        "homeUrl": "https://ci.example.com",
        "baseUrls": ["https://ci.example.com", "https://ci.internal:8443/base"],
        "redirectUris": ["https://ci.example.com/callback"],
        "iconUrl": "https://ci.example.com/icon.svg",
        "trusted": True,
    }
    shown = administrator.post("/services/ci", {**described, "defaultRoles": [{"key": "system-admin"}]}).json
    assert {name: shown[name] for name in described} == described
    assert [role["id"] for role in shown["defaultRoles"]] == ["system-admin"]
    assert administrator.get("/services/ci").json == shown
    (record, *_) = administrator.get("/audit", kind="service.updated").json["audit"]
    assert record["details"]["trusted"] == "False -> True"
    assert "https://ci.example.com/callback" in record["details"]["redirect_uris"]
    cleared = administrator.post("/services/ci", {"redirectUris": [], "trusted": False}).json
    assert (cleared["redirectUris"], cleared["trusted"], cleared["vendor"]) == ([], False, "JetBrains")


def test_bad_addresses_are_refused_by_name(administrator: Client) -> None:
    for body, field in (
        ({"redirectUris": ["https://a", "javascript:alert(1)"]}, "redirectUris[1]"),
        ({"iconUrl": "data:image/png"}, "iconUrl"),
        ({"baseUrls": ["https://a"] * 51}, "baseUrls"),
        ({"defaultRoles": [{"key": "nothing"}]}, "defaultRoles"),
    ):
        answer = administrator.post("/services/ci", body)
        assert (answer.status, answer.json["error_field"]) == (400, field)


def test_services_are_searched_by_application(administrator: Client) -> None:
    administrator.post("/services/deploy", {"applicationName": "YouTrack"})
    found = administrator.get("/services", query="applicationName: youtrack", fields="key").json
    assert (found["services"], found["total"]) == ([{"key": "deploy"}], 1)
    listed = administrator.get("/services", orderBy="name:desc", fields="key").json["services"]
    assert [each["key"] for each in listed] == ["keyturn", "deploy", "ci"]
