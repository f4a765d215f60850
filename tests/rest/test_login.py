"""`/login`, sessions, second factors and application passwords, as a browser or a script sees them."""

from __future__ import annotations

import json
from dataclasses import replace
from unittest.mock import patch

import pyotp
import pytest

from chalicelib.composition.keyturn import keyturn
from chalicelib.core.login.authenticators import MAX_WRONG_CODES
from chalicelib.storage.engine.table import Item, connection
from tests.authenticator import SoftwarePasskey
from tests.conftest import Scene, now
from tests.people import PASSWORD
from tests.rest.calling import REST, Answer, Client, basic, introspect, post, send


@pytest.fixture
def user(administrator: Client) -> str:
    """The id of a user with a password."""
    id: str = administrator.post("/users", {"login": "jo", "name": "Jo Doe"}).json["id"]
    assert administrator.post("/users/jo/password", {"password": PASSWORD}).status == 200
    return id


def log_in(**more: object) -> Answer:
    return post("/login", {"login": "jo", "password": PASSWORD, **more})


@pytest.fixture
def jo(user: str) -> Client:
    """A client with a session."""
    return Client(log_in().json["token"])


def turn_on_2fa(jo: Client) -> tuple[pyotp.TOTP, list[str]]:
    begun = jo.post("/users/me/twoFactorAuthentication", {}).json
    assert begun["qrCode"].startswith("data:image/svg+xml")
    app = pyotp.parse_uri(begun["uri"])
    assert isinstance(app, pyotp.TOTP)
    assert app.secret == begun["secret"]
    confirmed = jo.post("/users/me/twoFactorAuthentication", {"code": app.now()}).json
    assert confirmed["enabled"]
    return app, confirmed["recoveryCodes"]


def test_a_login_gives_a_session_that_is_a_bearer_token(user: str) -> None:
    answer = log_in()
    assert answer.json["user"]["id"] == user
    assert answer.json["expiresOn"] > now()
    client = Client(answer.json["token"])
    assert client.get("/users/me").json["login"] == "jo"
    listed = client.get("/users/me/sessions").json
    assert (listed["total"], listed["sessions"][0]["id"]) == (1, answer.json["id"])
    assert client.delete("/users/me/sessions/current").status == 200
    assert client.get("/users/me").status == 401


@pytest.mark.parametrize(
    "body",
    [
        {"login": "jo", "password": "wrong horse"},
        {"login": "nobody", "password": PASSWORD},
        {"login": "build-bot", "password": PASSWORD},
        {"login": "jo", "passkey": {}},
        {"passkey": {"response": {"userHandle": "me"}}},
    ],
)
def test_what_is_wrong_is_refused_in_the_same_words(user: str, body: dict[str, object]) -> None:
    answer = post("/login", body)
    assert (answer.status, answer.json["error"]) == (401, "login_refused")
    assert answer.json["error_description"] == "Incorrect login, password or second factor."
    assert "www-authenticate" in answer.headers


def test_too_many_attempts_say_how_long_to_wait(user: str) -> None:
    with patch("time.time_ns", return_value=now() * 1_000_000):  # all in one window
        answers = [post("/login", {"login": "jo", "password": "wrong horse"}) for _ in range(11)]
    assert [answer.status for answer in answers] == [401] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 15 * 60


def test_a_weak_password_is_refused_by_name(administrator: Client, user: str) -> None:
    answer = administrator.post("/users/jo/password", {"password": "password1234"})
    assert (answer.status, answer.json["error_field"]) == (400, "password")
    assert administrator.post("/users/build-bot/password", {"password": PASSWORD}).status == 409


def test_a_second_factor_is_asked_for_by_method(jo: Client) -> None:
    _, codes = turn_on_2fa(jo)
    asked = log_in()
    assert (asked.status, asked.json["error"]) == (401, "second_factor_required")
    assert asked.json["methods"] == ["totp", "recoveryCode"]
    opened = log_in(code=codes[0])
    assert opened.json["secondFactor"]
    status = Client(opened.json["token"]).get("/users/me/twoFactorAuthentication").json
    assert status["recoveryCodesLeft"] == 9
    assert not {"secret", "recoveryCodes", "uri", "qrCode"} & status.keys()


def test_a_locked_app_is_told_to_who_knows_the_password(jo: Client) -> None:
    _, codes = turn_on_2fa(jo)
    stored = keyturn().stores.authenticators
    old = stored.find_by_login("jo")[1]
    stored.count_wrong_code(old, replace(old, wrong_codes=MAX_WRONG_CODES, revision=old.revision + 1), None)
    locked = log_in(code="000000")
    assert (locked.status, locked.json["error"]) == (401, "second_factor_locked")
    assert locked.json["methods"] == log_in().json["methods"] == ["recoveryCode"]
    assert post("/login", {"login": "jo", "password": "wrong horse", "code": "000000"}).json["error"] == "login_refused"
    assert log_in(code=codes[0]).status == 200


def test_an_administrator_sees_and_resets_it(administrator: Client, jo: Client) -> None:
    turn_on_2fa(jo)
    fields = "login,twoFactorAuthentication(enabled,totp),pendingTwoFactorAuthentication(id),applicationPasswords(name)"
    assert administrator.get("/users/jo", fields=fields).json == {
        "login": "jo",
        "twoFactorAuthentication": {"enabled": True, "totp": True},
        "pendingTwoFactorAuthentication": None,
        "applicationPasswords": [],
    }
    assert administrator.post("/users/jo/twoFactorAuthentication", {}).status == 403
    assert administrator.delete("/users/jo/twoFactorAuthentication").status == 200
    assert jo.get("/users/me").status == 401
    assert log_in().status == 200


def test_a_pending_pairing_is_shown_as_such(administrator: Client, jo: Client) -> None:
    jo.post("/users/me/twoFactorAuthentication", {})
    shown = administrator.get("/users/jo", fields="pendingTwoFactorAuthentication(enabled,pending)").json
    assert shown == {"pendingTwoFactorAuthentication": {"enabled": False, "pending": True}}


def test_recovery_codes_are_renewed(jo: Client) -> None:
    _, old = turn_on_2fa(jo)
    new = jo.post("/users/me/twoFactorAuthentication/recoverycodes", {}).json["recoveryCodes"]
    assert log_in(code=old[0]).status == 401
    assert log_in(code=new[0]).status == 200


def test_a_passkey_is_added_used_and_removed(jo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYTURN_ADDRESS", "https://keyturn.example.com")
    keyturn.cache_clear()
    passkey = SoftwarePasskey()
    options = jo.post("/users/me/passkeys", {}).json["publicKey"]
    added = jo.post("/users/me/passkeys", {"name": "Phone", "credential": passkey.create(options)}).json
    assert (added["passkeys"][0]["name"], len(added["recoveryCodes"])) == ("Phone", 10)
    answer = passkey.get(post("/login/passkey", {}).json["publicKey"])
    assert post("/login", {"passkey": answer}).json["secondFactor"]
    (listed,) = jo.get("/users/me/passkeys").json["passkeys"]
    assert jo.delete(f"/users/me/passkeys/{listed['id']}").status == 200
    assert log_in().status == 200


class TestApplicationPasswords:
    @pytest.fixture
    def jo(self, user: str) -> Client:
        """A client with a session that has proven a second factor."""
        _, codes = turn_on_2fa(Client(log_in().json["token"]))
        return Client(log_in(code=codes[0]).json["token"])

    def test_it_stands_in_for_the_password(self, scene: Scene, jo: Client) -> None:
        created = jo.post("/users/me/applicationpasswords", {"name": "Mail"}).json
        client = Client(authorization=basic("jo", created["password"]))
        assert client.get("/users/me").json["login"] == "jo"
        found = introspect("ci", scene.ci.secret, created["password"]).json
        assert (found["active"], found["username"], found["token_type"]) == (True, "jo", "Basic")
        assert Client(authorization=basic("build-bot", created["password"])).get("/users/me").status == 401
        assert Client(created["password"]).get("/users/me").status == 401

    def test_it_is_listed_with_its_last_use_and_deleted(self, scene: Scene, jo: Client) -> None:
        created = jo.post("/users/me/applicationpasswords", {"name": "Mail"}).json
        place = f"/users/me/applicationpasswords/{created['id']}"
        shown = jo.get(place)
        assert "password" not in shown.json
        assert created["password"] not in shown.text
        assert shown.json["lastAccessTime"] is None
        assert introspect("ci", scene.ci.secret, created["password"]).json["active"]
        assert abs(jo.get(place).json["lastAccessTime"] - now()) < 60_000
        listed = jo.get("/users/me/applicationpasswords").json
        assert [each["name"] for each in listed["applicationpasswords"]] == ["Mail"]
        assert jo.delete(place).status == 200
        assert introspect("ci", scene.ci.secret, created["password"]).json == {"active": False}
        assert Client(authorization=basic("jo", created["password"])).get("/users/me").status == 401
        assert jo.delete(place).status == 404

    def test_it_needs_2fa_and_its_owner(self, administrator: Client, jo: Client) -> None:
        assert administrator.post("/users/me/applicationpasswords", {"name": "Mail"}).status == 409
        assert administrator.post("/users/jo/applicationpasswords", {"name": "Mail"}).status == 403

    def test_names_are_unique_in_an_account(self, jo: Client) -> None:
        assert jo.post("/users/me/applicationpasswords", {"name": "Mail"}).status == 200
        again = jo.post("/users/me/applicationpasswords", {"name": "Mail"})
        assert (again.status, again.json["error_field"]) == (409, "name")

    def test_turning_2fa_off_ends_it(self, scene: Scene, jo: Client) -> None:
        created = jo.post("/users/me/applicationpasswords", {"name": "Mail"}).json
        assert jo.delete("/users/me/twoFactorAuthentication").status == 200
        assert introspect("ci", scene.ci.secret, created["password"]).json == {"active": False}

    def test_a_request_sent_again_makes_no_second_one(self, jo: Client) -> None:
        headers = {**jo._headers, "content-type": "application/json", "idempotency-key": "once"}
        body = json.dumps({"name": "Mail"})
        first = send("POST", f"{REST}/users/me/applicationpasswords", headers, body).json
        again = send("POST", f"{REST}/users/me/applicationpasswords", headers, body).json
        assert again["id"] == first["id"]
        assert again["password"] is None
        assert "delete it" in again["notice"]


def test_no_secret_of_a_login_rests_in_the_table(scene: Scene, jo: Client) -> None:
    app, codes = turn_on_2fa(jo)
    session = log_in(code=codes[0]).json["token"]
    password = Client(session).post("/users/me/applicationpasswords", {"name": "Mail"}).json["password"]
    stored = json.dumps(connection().client.scan(TableName=Item.Meta.table_name)["Items"], default=str)
    for secret in (PASSWORD, app.secret, *codes, session, password):
        assert secret not in stored
