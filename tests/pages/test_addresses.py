"""Where pages are found: also below a path, as behind a stage of API Gateway; and not at all without an address."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from chalicelib.pages.routes import SECURITY
from tests.conftest import Scene
from tests.oauth.calling import Forms, call
from tests.people import PASSWORD, person

BELOW = "https://gateway.example.com/prod"


@pytest.fixture
def below(scene: Scene) -> Scene:
    """An installation that shares its host."""
    scene.product.settings = replace(scene.product.settings, address=BELOW)
    return scene


def test_every_link_file_and_form_stays_below_the_path(below: Scene) -> None:
    jo = person(below)
    cookie = f"__Host-keyturn={jo.attempt().secret}"
    page = call("GET", "/users/me/security", {"cookie": cookie}, route=(SECURITY, {"user": "me"}))
    addresses = re.findall(r'(?:href|src|action)="([^"#]+)"', page.text)
    assert len(addresses) > 15
    assert all(address.startswith("/prod/") for address in addresses), addresses


def test_a_login_leads_back_below_the_path(below: Scene) -> None:
    jo = person(below)
    sent = call("GET", "/users")
    assert sent.headers["location"] == "/prod/login?next=%2Fusers"
    form = Forms(call("GET", "/login?next=%2Fusers").text)
    assert form.action == "/prod/login"
    fields = {**form.fields, "login": jo.user.login, "password": PASSWORD}
    done = call("POST", "/login", {"origin": "https://gateway.example.com"}, fields)
    assert done.headers["location"] == f"{BELOW}/users"


def test_without_an_address_the_page_says_what_is_missing(scene: Scene) -> None:
    scene.product.settings = replace(scene.product.settings, address=None)
    for path in ("/", "/login", "/users"):
        page = call("GET", path)
        assert page.status == 409
        assert "KEYTURN_ADDRESS" in page.text
        assert page.headers["content-type"].startswith("text/html")
