"""A service sends somebody to Keyturn and gets them back: through the login, and the page that asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.oauth.calling import Pkce
from tests.pages.site import Site, Visitor
from tests.pages.test_login import pair


class Page(BaseHTTPRequestHandler):
    """What the service shows: where somebody comes back to, and a page that tries to put one of ours into a frame."""

    def do_GET(self) -> None:
        address = parse_qs(urlsplit(self.path).query).get("frame")
        content = f"<iframe src='{escape(address[0])}'></iframe>" if address else "<h1>Back at the shop</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<!doctype html><title>Shop</title><link rel=icon href=data:,>{content}".encode())

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: tests speak for themselves."""


@dataclass
class Shop:
    """A service, and the address where it is."""

    key: str
    url: str

    @property
    def callback(self) -> str:
        return f"{self.url}/callback"


@pytest.fixture
def shop(site: Site) -> Iterator[Shop]:
    """On another port, and so another site to a policy."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        shop = Shop(site.name("shop"), f"http://localhost:{server.server_port}")
        site.api.post("/services", {"key": shop.key, "name": "Web shop", "redirectUris": [shop.callback]})
        yield shop
        server.shutdown()


def member(site: Site, shop: Shop) -> str:
    """Somebody who may see the service."""
    login = site.person()
    group = site.api.post("/usergroups", {"name": site.name("shop team")})["id"]
    site.api.post(f"/usergroups/{group}/users", {"login": login})
    site.api.post(f"/services/{shop.key}", {"groups": [{"id": group}]})
    return login


def request(site: Site, shop: Shop, **more: str) -> str:
    parameters = {
        "response_type": "code",
        "client_id": shop.key,
        "redirect_uri": shop.callback,
        "scope": shop.key,
        "state": "a state",
        "code_challenge": Pkce().challenge,
        "code_challenge_method": "S256",
        **more,
    }
    return f"{site.url}/api/rest/oauth2/auth?{urlencode(parameters)}"


def came_back(visitor: Visitor) -> dict[str, list[str]]:
    expect(visitor.page.get_by_role("heading", name="Back at the shop")).to_be_visible()
    return parse_qs(urlsplit(visitor.page.url).query)


def test_logging_in_approving_and_from_then_on_nothing_at_all(site: Site, visitor: Visitor, shop: Shop) -> None:
    login = member(site, shop)
    page = visitor.see(request(site, shop))
    expect(page.get_by_text("Log in to continue to Web shop.")).to_be_visible()
    visitor.fill_in(login)
    expect(page.get_by_role("heading", name="Web shop requests access")).to_be_visible()
    visitor.press("Approve")
    first = came_back(visitor)
    assert first["state"] == ["a state"]
    visitor.see(request(site, shop))
    assert came_back(visitor)["code"] != first["code"]


def test_denying(site: Site, visitor: Visitor, shop: Shop) -> None:
    login = member(site, shop)
    visitor.enter(login)
    visitor.see(request(site, shop))
    visitor.press("Deny")
    assert came_back(visitor)["error"] == ["access_denied"]


def test_with_a_second_factor_on_the_way(site: Site, visitor: Visitor, shop: Shop) -> None:
    login = member(site, shop)
    secret, _ = pair(visitor, login)
    visitor.press("Log out")
    page = visitor.see(request(site, shop))
    visitor.fill_in(login)
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    visitor.press("Start again")
    expect(page.get_by_text("Log in to continue to Web shop.")).to_be_visible()
    visitor.fill_in(login)
    page.get_by_label("Code").fill(visitor.code(secret, later=1))
    visitor.press("Log in")
    expect(page.get_by_role("heading", name="Web shop requests access")).to_be_visible()
    visitor.press("Approve")
    assert "code" in came_back(visitor)


def test_a_trusted_service_gets_whoever_logs_in_back_at_once(site: Site, visitor: Visitor, shop: Shop) -> None:
    login = member(site, shop)
    site.api.post(f"/services/{shop.key}", {"trusted": True})
    visitor.see(request(site, shop))
    visitor.fill_in(login)
    assert "code" in came_back(visitor)


def test_no_other_site_can_put_a_page_into_a_frame(site: Site, visitor: Visitor, shop: Shop) -> None:
    page = visitor.enter(member(site, shop))
    for address in (f"{site.url}/login", f"{site.url}/services", f"{site.url}/users/new", request(site, shop)):
        visitor.complaints.clear()
        page.goto(f"{shop.url}/trap?{urlencode({'frame': address})}")
        page.wait_for_load_state("networkidle")
        assert [each.url for each in page.frames[1:]] == ["chrome-error://chromewebdata/"]
        assert any("frame-ancestors" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()
