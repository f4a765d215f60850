"""An account with 1,000 tokens: its page stays small, and every token can be got to."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.pages.site import Site, Visitor

TOKENS = 1_000
MOST_BYTES = 64 * 1024  # of the page itself
MOST_FILE_BYTES = 32 * 1024  # style and scripts together, kept for ever


@pytest.fixture(scope="module")
def busy_bot(site: Site) -> str:
    """A bot with so many tokens; all but one are copies, since hashing a thousand secrets would take a minute."""
    bot = site.bot("busy-bot")
    token = site.token(bot, "token-0000", scope=("ci", "deploy"))
    original = site.item_of(token["id"])
    with site.table().batch_writer() as batch:
        for number in range(1, TOKENS):
            id = f"copy{number:08}"
            where = {"sk": original["sk"].replace(token["id"], id), "id": id, "name": f"token-{number:04}"}
            batch.put_item(Item={**original, **where, "created": original["created"] + number})
    return bot


def test_the_page_weighs_as_much_as_with_fifty(site: Site, visitor: Visitor, busy_bot: str) -> None:
    page = visitor.enter()
    for query in ("", "?page=20", "?q=token-07"):
        visitor.see(site.address(busy_bot, "security") + query)
        expect(page.get_by_role("row").filter(has_text="token-")).to_have_count(50)
        assert page.evaluate("performance.getEntriesByType('navigation')[0].encodedBodySize") < MOST_BYTES
        files = "performance.getEntriesByType('resource').reduce((sum, each) => sum + each.encodedBodySize, 0)"
        assert 0 < page.evaluate(files) < MOST_FILE_BYTES


def test_every_token_can_be_got_to_by_pages_and_by_search(site: Site, visitor: Visitor, busy_bot: str) -> None:
    page = visitor.enter()
    visitor.see(site.address(busy_bot, "security"))
    expect(page.get_by_text(f"1–50 of {TOKENS}")).to_be_visible()
    seen = set()
    for number in range(1, TOKENS // 50 + 1):
        visitor.see(f"{site.address(busy_bot, 'security')}?page={number}")
        seen |= set(page.get_by_role("row").get_by_role("link", name=re.compile(r"^token-\d{4}$")).all_inner_texts())
    assert len(seen) == TOKENS
    visitor.see(site.address(busy_bot, "security"))
    page.get_by_label("Search tokens by name").fill("token-0777")
    expect(page.get_by_role("row").filter(has_text="token-")).to_have_count(1)
    for text in ("or", "a or b", "name: {", '"'):  # what somebody types is a text, not a query
        page.get_by_label("Search tokens by name").fill(text)
        expect(page.get_by_text(f"No token name starts with “{text}”.")).to_be_visible()
    page.get_by_label("Search tokens by name").fill("token-0777")
    page.get_by_role("link", name="token-0777", exact=True).click()
    expect(page.get_by_role("heading", name="token-0777")).to_be_visible()


def test_its_health_draws_the_half_that_was_not_used_for_the_longest_time(
    site: Site, visitor: Visitor, busy_bot: str
) -> None:
    page = visitor.enter()
    visitor.see(site.address(busy_bot, "health"))
    expect(page.locator(".tiles .new")).to_contain_text(str(TOKENS))
    expect(page.get_by_text("500 recently used tokens are not shown.")).to_be_visible()
    assert page.locator("svg.chart a").count() == 500
