"""axe-core finds no violation of WCAG 2.2 AA on any page, light or dark, narrow or wide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.budgets import LONG
from tests.node import installed
from tests.pages.furnishing import DEVICE, Furnished, furnish, places, start_device
from tests.pages.site import Site, Visitor
from tests.pages.walk import PAGES, pages_from

# Width and colour scheme. The gate shows each page in each width and each scheme once, the long run in all pairs.
DRESSES = ((360, "light"), (1440, "dark"), *(((360, "dark"), (1440, "light")) if LONG else ()))


@pytest.fixture(scope="module")
def axe() -> str:
    """The program that looks for violations."""
    return (installed(Path(__file__).parent / "javascript") / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="module")
def made(site: Site) -> Furnished:
    return furnish(site)


def test_every_page_of_an_administrator(site: Site, visitor: Visitor, made: Furnished, axe: str) -> None:
    page = visitor.enter()
    found, seen = [], set()
    for kind in pages_from(page, site, *places(site, made)):
        found += violations(page, axe, kind)
        seen.add(kind)
    found += violations(visitor.see(site.address(made.bot, "health")), axe, "marks")
    assert found == []
    own = {kind for kind in PAGES if "application-passwords/new" in kind or kind.endswith(OWN)}
    assert set(PAGES) - seen == own


# Only the account itself sees these.
OWN = ("/authentication/app", "/authentication/passkey", "/authentication/recovery-codes")


def test_every_page_of_ones_own(site: Site, visitor: Visitor, made: Furnished, axe: str) -> None:
    logged_in_as(visitor, made)
    found, seen = [], set()
    for kind in pages_from(visitor.page, site, site.address(made.person, "authentication")):
        found += violations(visitor.page, axe, kind)
        seen.add(kind)
    assert found == []
    assert any("application-passwords/new" in kind for kind in seen)
    assert {ending for ending in OWN if any(kind.endswith(ending) for kind in seen)} == set(OWN[1:])  # an app is paired


def test_pages_without_a_login(site: Site, visitor: Visitor, made: Furnished, axe: str) -> None:
    page = visitor.see("/login")
    found = violations(page, axe, "login")
    found += violations(visitor.log_in(site.person(), "wrong"), axe, "refused login")
    found += violations(visitor.log_in(made.person), axe, "second step")
    found += violations(visitor.see("/api/rest/reference"), axe, "reference")
    assert found == []


def test_pages_that_ask_for_a_decision(site: Site, visitor: Visitor, made: Furnished, axe: str) -> None:
    logged_in_as(visitor, made)
    found = violations(visitor.see(DEVICE), axe, "device")
    code = start_device(site, made)["user_code"]
    found += violations(visitor.see(f"{DEVICE}?user_code={code}"), axe, "consent")
    visitor.press("Approve")
    found += violations(visitor.page, axe, "approved")
    found += violations(visitor.see(f"/users/{site.id_of('admin')}"), axe, "forbidden")
    assert found == []


def test_what_is_shown_once_and_what_was_filled_in_wrongly(site: Site, visitor: Visitor, axe: str) -> None:
    login = site.person()
    visitor.enter(login)
    page = visitor.see("/")
    visitor.press("New token")
    page.get_by_label("Name").fill("x")
    visitor.press("Create token")
    page.get_by_text("must name 1 to").or_(page.get_by_text("Must name 1 to")).first.wait_for()
    found = violations(page, axe, "refused token")
    page.get_by_role("checkbox").first.check()
    visitor.press("Create token")
    visitor.dialog("Token x")
    found += violations(page, axe, "shown token")
    visitor.see(site.address(login, "authentication"))
    found += violations(page, axe, "nothing paired")
    visitor.press("Pair an app")
    found += violations(page, axe, "begin to pair")
    visitor.press("Show QR code")
    page.locator("#secret").wait_for()
    found += violations(page, axe, "picture")
    page.get_by_label("Code", exact=True).fill(visitor.code(page.locator("#secret").inner_text()))
    page.get_by_role("button", name="Pair").click()
    visitor.dialog("Authenticator app paired")
    found += violations(page, axe, "recovery codes")
    assert found == []


def logged_in_as(visitor: Visitor, made: Furnished) -> None:
    """With the session that the person has."""
    visitor.context.add_cookies([{"name": "keyturn", "value": made.session, "url": visitor.site.url}])


def test_a_hindrance_would_be_found(site: Site, visitor: Visitor, axe: str) -> None:
    page = visitor.see("/login")
    page.evaluate("document.querySelector('label[for=field-login]').remove()")
    assert any("label" in each for each in violations(page, axe, "login"))


def violations(page: Page, axe: str, kind: str) -> list[str]:
    """What axe finds on the page that is shown, in each dress."""
    page.evaluate(axe)
    found = []
    for number, (width, scheme) in enumerate(DRESSES):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (kind, width)
        page.emulate_media(color_scheme=scheme)
        # What is in the style sheets is the same in each dress, and read once.
        options = {"resultTypes": ["violations"], "preload": number == 0}
        told: dict[str, Any] = page.evaluate("options => axe.run(options)", options)
        found += [
            f"{kind} {width} {scheme}: {each['id']} {[node['html'][:150] for node in each['nodes'][:3]]}"
            for each in told["violations"]
        ]
    return found
