"""`/services` by Hub's contract."""

from email.utils import formatdate
from typing import Any

import pytest

from chalicelib.core.directory.groups import GroupDescription
from chalicelib.core.secrets.token_format import SERVICE_SECRET
from tests.conftest import Scene
from tests.core.secrets.test_client_supplied import FIRST, SECOND
from tests.people import person
from tests.rest.calling import REST, Client, introspect, send


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


class TestSecrets:
    """`/services/{id}/secret`, with `comparison` and `takeback` below it."""

    PATH = "/services/ci/secret"
    SHOWN = "secret,secrets(creationTime,endsOn)"

    @pytest.mark.parametrize(("grace", "seconds"), [(3600, 3600), ("PT1H", 3600), ("P7D", 7 * 86400)])
    def test_the_grace_is_what_was_asked_for(
        self, scene: Scene, administrator: Client, grace: int | str, seconds: int
    ) -> None:
        made = administrator.post(self.PATH, {"grace": grace}, fields=self.SHOWN).json
        old, new = made["secrets"]
        assert old["endsOn"] - new["creationTime"] == seconds * 1000
        assert (old["creationTime"], new["endsOn"]) == (scene.ci.service.created, None)
        token = scene.token.secret or ""
        before, after = (introspect("ci", each, token) for each in (scene.ci.secret, made["secret"]))
        assert (before.json["active"], after.json["active"]) == (True, True)
        assert before.headers["sunset"] == formatdate(old["endsOn"] / 1000, usegmt=True)
        assert introspect("ci", scene.ci.secret, "x").headers["sunset"] == before.headers["sunset"]
        assert "sunset" not in after.headers

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"grace": "tomorrow"}, "grace"),
            ({"grace": 91 * 86400}, "grace"),
            ({"grace": None}, "grace"),
            ({"secret": "short"}, "secret"),
            ({"graze": 1}, "graze"),
        ],
    )
    def test_what_cannot_be_is_refused_by_name(
        self, scene: Scene, administrator: Client, body: dict[str, Any], field: str
    ) -> None:
        answer = administrator.post(self.PATH, body)
        assert (answer.status, answer.json["error_field"]) == (400, field)
        assert introspect("ci", scene.ci.secret, scene.token.secret or "").status == 200

    def test_it_needs_no_body_as_ever(self, scene: Scene) -> None:
        headers = {"authorization": f"Bearer {scene.administrator.secret}"}
        answer = send("POST", REST + self.PATH, headers)
        assert introspect("ci", answer.json["secret"], scene.token.secret or "").json["active"]
        assert introspect("ci", scene.ci.secret, scene.token.secret or "").status == 401

    def test_one_is_brought_compared_and_brought_again(self, scene: Scene, administrator: Client) -> None:
        body = {"grace": 60, "secret": FIRST}
        first, again = (administrator.post(self.PATH, body, fields=self.SHOWN) for _ in range(2))
        assert (first.status, first.json) == (200, again.json)
        assert first.json["secret"] == SERVICE_SECRET.assemble(FIRST, scene.ci.service.id)
        for secret, current in ((FIRST, True), (SECOND, False)):
            compared = administrator.post(f"{self.PATH}/comparison", {"secret": secret}).json
            assert compared == {"id": scene.ci.service.id, "type": "serviceSecretComparison", "current": current}
        administrator.post(self.PATH, {"secret": SECOND})
        refused = administrator.post(self.PATH, body)
        assert (refused.status, refused.json["error_field"]) == (400, "secret")
        assert FIRST not in refused.text

    def test_a_renewal_is_taken_back(self, scene: Scene, administrator: Client) -> None:
        renewed = administrator.post(self.PATH, {"grace": 60}).json["secret"]
        for _ in range(2):
            back = administrator.post(f"{self.PATH}/takeback", {"keep": scene.ci.secret}, fields="secrets(endsOn)")
            assert (back.status, back.json) == (200, {"secrets": [{"endsOn": None}]})
        assert introspect("ci", renewed, scene.token.secret or "").status == 401
        assert "sunset" not in introspect("ci", scene.ci.secret, scene.token.secret or "").headers
        refused = administrator.post(f"{self.PATH}/takeback", {"keep": renewed})
        assert (refused.status, refused.json["error_field"]) == (400, "keep")

    def test_a_service_is_registered_with_one_that_is_brought(self, administrator: Client) -> None:
        made = administrator.post("/services", {"key": "wiki", "name": "Wiki", "secret": FIRST}).json
        assert made["secret"] == SERVICE_SECRET.assemble(FIRST, made["id"])
        weak = administrator.post("/services", {"key": "other", "name": "Other", "secret": "a" * 43})
        assert (weak.status, weak.json["error_field"]) == (400, "secret")

    def test_their_ends_are_shown_to_whoever_may_renew_them_alone(self, scene: Scene, administrator: Client) -> None:
        reader = person(scene)
        group = scene.product.groups.create(scene.caller(), GroupDescription("Readers"))
        scene.product.groups.add_member(scene.caller(), group.id, reader.user.id)
        administrator.post("/services/ci", {"groups": [{"id": group.id}]})
        client = Client(reader.attempt().secret)
        assert client.get("/services/ci", fields="key,secrets(endsOn)").json == {"key": "ci"}
        shown = administrator.get("/services", fields="key,secrets(endsOn)").json["services"]
        assert shown == [
            {"key": "ci", "secrets": [{"endsOn": None}]},
            {"key": "deploy", "secrets": [{"endsOn": None}]},
            {"key": "keyturn"},
        ]
        assert "secrets" not in administrator.get("/services/ci").json


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
