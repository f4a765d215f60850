"""Whatever somebody calls something, pages show it as a text, and the browser finds nothing to refuse.

Source: OWASP's XSS Filter Evasion Cheat Sheet.
"""

from __future__ import annotations

import itertools
from urllib.parse import quote

import pytest
from markupsafe import escape
from playwright.sync_api import Browser, Page

from chalicelib.core.audit.records import AuditRecord, Hand
from chalicelib.pages.frame.render import _environment
from tests.budgets import only_long
from tests.pages.furnishing import furnish, places, start_device
from tests.pages.site import Site, Visitor, open_window
from tests.pages.walk import pages_from

CORPUS = {
    "elements": '"><script>hit()</script><img src=x onerror=hit()><svg onload=hit()>',
    "attributes and templates": "' onfocus='hit()' autofocus x=\" onclick=\"hit()"
    "{{7*7777}}{% raw %}${7*7777}#{7*7777}<%=7*7777%>",
    "endings and addresses": "javascript:hit()//<a href=javascript:hit()></title></textarea></style></select>"
    "</dialog>--><script>hit()</script>",
    "odd": "%00%0d%0aSet-Cookie: a=b \U0001f511 \ufdfd z\u0317\u0324\u0300 \u05e9\u05dc\u05d5\u05dd &lt;b&gt; `id`",
}
WATCH = """
  window.hits = [];
  window.hit = () => hits.push("a script ran");
  document.addEventListener("securitypolicyviolation", event => hits.push(event.violatedDirective));
"""
INJECTED = "script:not([src]), img, iframe, object, embed, style, [href^=javascript], [href^=data], [onload], [onerror]"


@pytest.mark.parametrize("text", CORPUS.values(), ids=[*CORPUS])
def test_the_subject_that_a_platform_gave_a_job_stays_one_in_the_audit_log(text: str) -> None:
    hand = Hand("trust-rule", "token", workload=text)
    record = AuditRecord("user.updated", 1, "jo", "rule", "192.0.2.1", "user", "jo", hand=hand)
    table = _environment().get_template("records.html").module.records_table([record], {}, "/".join)
    assert f"for the job <code>{escape(text)}</code>" in str(table)


@pytest.mark.parametrize(
    "kinds", [[*CORPUS], *(pytest.param([kind], marks=only_long) for kind in CORPUS)], ids="+".join
)
def test_names_stay_names(site: Site, chromium: Browser, kinds: list[str]) -> None:
    """In the gate, the names that are given one after the other take turns; in the long run, each has each text."""
    texts = itertools.cycle(CORPUS[kind] for kind in kinds)
    made = furnish(site, lambda name: f"{name} {next(texts)}", lambda description: f"{description}\n{next(texts)}")
    administrator = watched(site, chromium)
    administrator.enter()
    seen = walk(administrator, *places(site, made))
    assert len(seen) > 40
    owner = watched(site, chromium)
    owner.context.add_cookies([{"name": "keyturn", "value": made.session, "url": site.url}])
    walk(owner, site.address(made.person, "authentication"), site.address(made.person, "security"))
    consent = f"{site.url}/api/rest/oauth2/device?user_code={start_device(site, made)['user_code']}"
    assert_nothing_happened(owner.see(consent), consent)
    assert administrator.complaints + owner.complaints == []
    for visitor in (administrator, owner):
        visitor.context.close()


def test_an_attack_would_be_seen(site: Site, chromium: Browser) -> None:
    visitor = watched(site, chromium)
    page = visitor.see("/login")
    page.evaluate("Object.assign(document.createElement('a'), {href: 'javascript:hit()'}).click()")
    page.wait_for_function("hits.length > 0")
    assert page.evaluate("hits") != ["a script ran"]
    visitor.context.close()


def test_a_search_and_a_form_give_back_what_was_typed_as_a_text(site: Site, chromium: Browser) -> None:
    visitor = watched(site, chromium)
    page = visitor.enter()
    for text in CORPUS.values():
        visitor.see("/users")
        page.get_by_label("Search by login or name").fill(text)
        page.wait_for_timeout(400)
        assert_nothing_happened(page, "search as you type")
        for path in ("/users", "/groups", "/services", "/token-health", "/audit"):
            page.goto(f"{site.url}{path}?{'kind' if path == '/audit' else 'q'}={quote(text)}")
            assert_nothing_happened(page, path)
        visitor.see("/users/new")
        page.get_by_label("Login", exact=True).fill(text[:60])
        page.get_by_label("Full name").fill(text)
        visitor.press("Create account")
        assert_nothing_happened(page, "refused form")
    visitor.context.close()


def walk(visitor: Visitor, *beginnings: str) -> set[str]:
    seen = set()
    for kind in pages_from(visitor.page, visitor.site, *beginnings):
        assert_nothing_happened(visitor.page, kind)
        seen.add(kind)
    return seen


def assert_nothing_happened(page: Page, kind: str) -> None:
    """No script of a name ran or was kept from it, and no name became a part of the page."""
    page.wait_for_load_state()
    assert page.evaluate("hits") == [], kind
    assert page.locator(INJECTED).count() == 0, kind
    assert str(7 * 7777) not in page.inner_text("body"), kind


def watched(site: Site, chromium: Browser) -> Visitor:
    visitor = open_window(site, chromium)
    visitor.context.add_init_script(WATCH)
    return visitor
