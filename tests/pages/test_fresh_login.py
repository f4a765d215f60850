"""Who logged in long ago logs in again before anything sensitive, and comes back to where they were."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.core.access.caller import FRESH_MS
from chalicelib.pages.routes import ACCOUNT, SECURITY
from tests.conftest import Scene
from tests.oauth.calling import Forms, call
from tests.people import PASSWORD, Person, person
from tests.rest.calling import Answer, Client

NEW_TOKEN = f"{SECURITY}/tokens/new"


@pytest.fixture
def jo(scene: Scene) -> Person:
    return person(scene)


def cookie(jo: Person) -> str:
    return f"__Host-keyturn={jo.attempt().secret}"


def get(route: str, user: str, cookie: str) -> Answer:
    return call("GET", route.replace("{user}", user), {"cookie": cookie}, route=(route, {"user": user}))


def later(monkeypatch: pytest.MonkeyPatch, milliseconds: int) -> None:
    moment = time.time_ns() + milliseconds * 1_000_000
    monkeypatch.setattr(time, "time_ns", lambda: moment)


def test_a_fresh_login_is_not_asked_again(jo: Person) -> None:
    assert "Create token" in get(NEW_TOKEN, jo.user.id, cookie(jo)).text


def test_an_old_login_sees_everything_and_is_asked_again_before_making_a_token(
    jo: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = cookie(jo)
    later(monkeypatch, FRESH_MS + 60_000)
    page = get(SECURITY, jo.user.id, mine)
    assert "New token" in page.text
    asked = get(NEW_TOKEN, jo.user.id, mine)
    assert asked.status == 303
    location = urlsplit(asked.headers["location"])
    assert (location.path, parse_qs(location.query)) == (
        "/login",
        {"next": [f"/users/{jo.user.id}/security/tokens/new"], "again": ["1"]},
    )
    login = call("GET", asked.headers["location"], {"cookie": mine})
    assert "requires a recent login" in login.text
    own = {"origin": "https://keyturn.example.com", "cookie": mine}
    form = {**Forms(login.text).fields, "login": jo.user.login, "password": PASSWORD}
    back = call("POST", "/login", own, form)
    assert back.headers["location"] == f"https://keyturn.example.com/users/{jo.user.id}/security/tokens/new"
    fresh = back.headers["set-cookie"].partition(";")[0]
    assert "Create token" in get(NEW_TOKEN, jo.user.id, fresh).text
    assert get(SECURITY, jo.user.id, mine).status == 303  # the old session has ended


def test_a_form_that_is_sent_too_late_changes_nothing(jo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = cookie(jo)
    form = {**Forms(get(NEW_TOKEN, jo.user.id, mine).text).fields, "name": "late", "scope": "keyturn"}
    later(monkeypatch, FRESH_MS + 60_000)
    headers = {"origin": "https://keyturn.example.com", "cookie": mine}
    sent = call("POST", NEW_TOKEN.replace("{user}", "me"), headers, form, (NEW_TOKEN, {"user": "me"}))
    assert sent.headers["location"].startswith("/login?next=%2Fusers%2Fme%2Fsecurity%2Ftokens%2Fnew&again")
    assert "No permanent tokens." in get(SECURITY, jo.user.id, mine).text


def test_taking_away_is_never_held_up(jo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = cookie(jo)
    made = jo.scene.product.permanent_tokens.create(jo.log_in(), "me", "old", ["keyturn"]).token
    later(monkeypatch, FRESH_MS + 60_000)
    route = f"{SECURITY}/tokens/{{token}}/delete"
    where = (route, {"user": "me", "token": made.id})
    page = call("GET", f"/users/me/security/tokens/{made.id}/delete", {"cookie": mine}, route=where)
    headers = {"origin": "https://keyturn.example.com", "cookie": mine}
    path = f"/users/me/security/tokens/{made.id}/delete"
    assert call("POST", path, headers, Forms(page.text).fields, where).status == 303
    assert "No permanent tokens." in get(SECURITY, jo.user.id, mine).text


def test_hsts_and_the_prefix_of_the_cookie_come_with_https(jo: Person) -> None:
    page = get(ACCOUNT, jo.user.id, cookie(jo))
    assert page.headers["strict-transport-security"] == "max-age=63072000"


def test_a_session_is_held_to_it_in_the_rest_api_too(jo: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(jo.attempt().secret)
    body = {"name": "by session", "scope": [{"key": "keyturn"}]}
    later(monkeypatch, FRESH_MS + 60_000)
    refused = client.post("/users/me/permanenttokens", body)
    assert (refused.status, refused.json["error"]) == (403, "forbidden")
    assert "Log in again" in refused.json["error_description"]
    assert client.get("/users/me/permanenttokens").json["total"] == 0
