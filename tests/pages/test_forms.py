"""What forms and pages refuse: requests from elsewhere, planted sessions, ways outside, frames."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from chalicelib.pages.routes import ROUTES
from tests.oauth.calling import Forms
from tests.pages.site import Site
from tests.people import PASSWORD

FORMS = sorted(path for path, views in ROUTES.items() if "POST" in views and path != "/login")
SHOWN = sorted(path for path, views in ROUTES.items() if "GET" in views and path != "/assets/{name}")
ELSEWHERE = ("https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1", "https://[")


@dataclass
class Client:
    """A browser without a screen or scripts."""

    site: Site
    session: requests.Session

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.site.url + path, timeout=30)

    def post(self, path: str, form: dict[str, Any], origin: str | None = "own", **more: Any) -> requests.Response:
        headers = {} if origin is None else {"Origin": self.site.url if origin == "own" else origin}
        return self.session.post(self.site.url + path, data=form, headers=headers, timeout=30, **more)

    def proof(self) -> str:
        return Forms(self.get("/services").text.split('role="search"')[0]).fields["proof"]

    def log_in(self, login: str, **more: str) -> requests.Response:
        return self.post("/login", {"login": login, "password": PASSWORD, **more}, allow_redirects=False)


@pytest.fixture
def client(site: Site) -> Client:
    return Client(site, requests.Session())


@pytest.fixture
def administrator(client: Client) -> Client:
    assert client.log_in("admin").status_code == 303
    return client


def path_for(site: Site, route: str) -> str:
    """An address of this kind; most of it names nothing."""
    me = site.id_of("admin")
    return re.sub(r"\{[a-z]+\}", "nothing", route.replace("{user}", me))


@pytest.mark.parametrize("route", FORMS)
def test_a_form_from_elsewhere_is_refused(site: Site, administrator: Client, route: str) -> None:
    path, proof = path_for(site, route), administrator.proof()
    for origin in (*ELSEWHERE, None):
        answer = administrator.post(path, {"proof": proof}, origin)
        assert answer.status_code == 403, origin
        assert "not sent from a page of Keyturn" in answer.text
    for wrong in ("", "AAAA", "not base64 \N{SNOWMAN}", proof[:-4]):
        answer = administrator.post(path, {"proof": wrong})
        assert answer.status_code == 403, wrong
        assert "was changed or has expired" in answer.text


def test_the_proof_of_another_session_is_none(site: Site, administrator: Client) -> None:
    other = Client(site, requests.Session())
    other.log_in(site.person())
    answer = administrator.post("/users/new", {"proof": other.proof(), "login": "x", "name": "x", "type": "bot"})
    assert answer.status_code == 403


@pytest.mark.parametrize("route", SHOWN)
def test_nobody_sees_a_page_without_a_login(site: Site, client: Client, route: str) -> None:
    answer = client.session.get(site.url + path_for(site, route), allow_redirects=False, timeout=30)
    if route == "/login":
        assert answer.status_code == 200
    else:
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/login?next=%2F")


@pytest.mark.parametrize("route", SHOWN)
def test_pages_cannot_be_framed_kept_or_filled_with_scripts(site: Site, administrator: Client, route: str) -> None:
    answer = administrator.get(path_for(site, route))
    policy = answer.headers["Content-Security-Policy"]
    for part in (
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.status_code in (200, 404)
    assert " style=" not in answer.text
    assert not re.search(r"<[a-z]+ [^>]*\bon[a-z]+=", answer.text)


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "@evil.example",
        ".evil.example",
        "javascript:alert(1)",
        "/\r\nLocation: https://evil.example",
        "/\tx",
        "/ü",
    ],
)
def test_a_login_leads_to_our_own_pages_only(site: Site, client: Client, next: str) -> None:
    answer = client.log_in(site.person(), next=next)
    location = answer.headers.get("Location", "")
    assert answer.status_code == 400 or location.startswith(f"{site.url}/"), location


def test_a_session_that_was_planted_ends_with_the_login(site: Site) -> None:
    attacker, victim = (Client(site, requests.Session()) for _ in range(2))
    attacker.log_in(site.person("attacker"))
    planted = attacker.session.cookies["keyturn"]
    victim.session.cookies.set("keyturn", planted, domain="localhost.local", path="/")
    login = site.person("victim")
    victim.log_in(login)
    assert victim.session.cookies["keyturn"] != planted
    assert site.name_of(login) in victim.get("/").text
    assert "Log in" in attacker.get("/").text


def test_the_cookie_is_kept_from_scripts_and_other_sites(site: Site, client: Client) -> None:
    cookie = client.log_in(site.person()).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    client.post("/logout", {"proof": client.proof()})
    assert client.get("/users").url.startswith(f"{site.url}/login")


def test_files_are_kept_for_ever_and_change_their_names(site: Site, client: Client) -> None:
    page = client.get("/login").text
    files = re.findall(r'(?:href|src)="(/assets/[^"]+)"', page)
    assert len(files) >= 5
    for file in files:
        answer = client.get(file)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert re.fullmatch(r"/assets/[a-z]+\.[0-9a-f]{16}\.(css|js|svg)", file)
    assert client.get("/assets/style.css").status_code == 404
    assert client.get("/assets/..%2Frender.py").status_code == 404


def test_everything_works_without_scripts(site: Site, administrator: Client) -> None:
    """All but copying: forms are sent by links and buttons alone."""
    bot = site.id_of(site.bot())
    address = f"/users/{bot}/security/tokens/new"
    ci = site.api.get("/services/ci?fields=id")["id"]
    page = administrator.get(address)
    assert f'value="{ci}"' in page.text
    made = administrator.post(address, {**Forms(page.text).fields, "name": "by hand", "scope": [ci]})
    token = re.search(r'<code id="secret">(ktp_\w+)</code>', made.text)
    assert token
    assert site.is_good(token[1])
    again = administrator.post(address, {**Forms(page.text).fields, "name": "by hand", "scope": [ci]})
    assert again.status_code == 409  # loading the page anew makes no second one
    listed = administrator.get(f"/users/{bot}/security").text
    delete = re.search(r'href="([^"]+/delete)"', listed)
    assert delete
    administrator.post(delete[1], Forms(administrator.get(delete[1]).text).fields)
    assert not site.is_good(token[1])


def test_what_was_filled_in_stays_when_it_is_refused(site: Site, administrator: Client) -> None:
    form = {"proof": administrator.proof(), "type": "bot", "login": "no spaces here", "name": "A name", "email": ""}
    page = administrator.post("/users/new", form)
    assert page.status_code == 400
    assert 'value="no spaces here"' in page.text
    assert 'value="A name"' in page.text
    assert 'aria-invalid="true" aria-describedby="rule-login"' in page.text
