"""`/audit`: what happened, to be read and nothing else."""

from unittest.mock import patch

import pytest

from tests.conftest import Scene, now
from tests.rest.calling import Client, post, send


def test_records_come_newest_first_with_who_what_and_from_where(scene: Scene, administrator: Client) -> None:
    administrator.post("/users/build-bot", {"name": "Renamed"})
    record = administrator.get("/audit").json["audit"][0]
    assert record == {
        "id": record["id"],
        "type": "auditRecord",
        "kind": "user.updated",
        "time": record["time"],
        "actor": scene.administrator.owner.id,
        "credential": scene.administrator.token.id,
        "credentialKind": "permanent-token",
        "accessToken": None,
        "actingServices": [],
        "workload": None,
        "earlierSecret": False,
        "address": "192.0.2.7",
        "targetKind": "user",
        "target": scene.bot.id,
        "owner": scene.bot.id,
        "details": {"name": "Build bot -> Renamed"},
    }


def test_an_account_and_its_credentials_are_found_together(scene: Scene, administrator: Client) -> None:
    answer = administrator.get("/audit", target=scene.bot.id, fields="kind").json
    assert {record["kind"] for record in answer["audit"]} == {"permanent-token.created", "user.created"}
    answer = administrator.get("/audit", target=scene.bot.id, kind="user.created", fields="kind").json
    assert answer["audit"] == [{"kind": "user.created"}]
    assert administrator.get("/audit", actor="operator", fields="actor").json["audit"][0] == {"actor": "operator"}


def test_pages_follow_one_another(administrator: Client) -> None:
    everything = administrator.get("/audit", fields="id").json["audit"]
    first = administrator.get("/audit", **{"$top": 3, "fields": "id"}).json
    second = administrator.get("/audit", **{"$top": 100, "fields": "id", "after": first["after"]}).json
    assert first["audit"] + second["audit"] == everything


def test_one_may_read_what_was_done_to_oneself(scene: Scene, administrator: Client) -> None:
    user = administrator.post("/users", {"login": "user", "name": "User"}).json
    secret = administrator.post("/users/user/permanenttokens", {"name": "t", "scope": [{"key": "keyturn"}]}).json[
        "token"
    ]
    client = Client(secret)
    assert len(client.get("/audit", target=user["id"]).json["audit"]) == 2
    for query in ({}, {"target": scene.bot.id}, {"actor": user["id"]}):
        assert client.get("/audit", **query).status == 403


def test_failed_logins_are_there_by_account_and_by_network(administrator: Client) -> None:
    user = administrator.post("/users", {"login": "user", "name": "User"}).json["id"]
    with patch("time.time_ns", return_value=now() * 1_000_000):  # all in one window
        for login in ("user", "nobody", "correct horse"):
            assert post("/login", {"login": login, "password": "wrong horse"}).status == 401
    with_user = administrator.get("/audit", target=user, kind="login.failed").json["audit"]
    with_network = administrator.get("/audit", target="192.0.2.7", fields="kind,details,actor").json["audit"]
    assert [(each["details"], each["address"]) for each in with_user] == [({"times": "1"}, "192.0.2.7")]
    assert with_network == [{"kind": "login.failed", "details": {"times": "2"}, "actor": "anybody"}]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"actor": "a b"}, "actor"),
        ({"target": "x" * 65}, "target"),
        ({"kind": "'"}, "kind"),
        ({"from": "yesterday"}, "from"),
        ({"to": "9" * 18}, "to"),
        ({"after": "x"}, "after"),
        ({"$skip": "1"}, "$skip"),
        ({"fields": "secret"}, "fields"),
    ],
)
def test_bad_filters_are_refused_by_name(administrator: Client, query: dict[str, str], field: str) -> None:
    answer = administrator.get("/audit", **query)
    assert (answer.status, answer.json["error_field"]) == (400, field)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_can_be_written_or_deleted(administrator: Client, method: str) -> None:
    assert send(method, "/api/rest/audit").status == 405
