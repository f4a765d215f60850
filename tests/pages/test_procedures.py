"""The two procedures of the seed, step by step: generate a permanent token for another user, and delete one.

Source: Hub's page "Manage Authentication Tokens".
"""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.pages.site import Site, Visitor


def test_an_administrator_generates_a_token_for_a_bot_and_deletes_it(site: Site, visitor: Visitor) -> None:
    bot = site.bot("build-bot")
    page = visitor.log_in()

    visitor.press("Users")
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    page.get_by_label("Search by login or name").fill(bot)
    page.get_by_role("link", name=bot.replace("-", " ").title()).click()
    expect(page.get_by_role("link", name="Account Security")).to_have_attribute("aria-current", "page")
    expect(page.get_by_text("No permanent tokens.")).to_be_visible()

    visitor.press("New token")
    dialog = visitor.dialog("New token")
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_label("Name").fill("nightly build")
    dialog.get_by_label("Build server").check()
    dialog.get_by_role("button", name="Create token").click()

    dialog = visitor.dialog("Token nightly build")
    secret = dialog.locator("#secret").inner_text()
    assert secret.startswith("ktp_")
    dialog.get_by_role("button", name="Copy token").click()
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    assert site.is_good(secret)
    assert not site.is_good(secret, "deploy")
    dialog.get_by_role("link", name="Close").click()

    row = page.get_by_role("row", name="nightly build")
    for text in ("nightly build", "Build server", "Ada Lovelace", "never"):
        expect(row).to_contain_text(text)
    assert secret not in page.content()

    row.get_by_role("link", name="Delete").click()
    dialog = visitor.dialog("Delete the token nightly build?")
    dialog.get_by_role("link", name="Cancel").click()
    expect(row).to_be_visible()
    assert site.is_good(secret)

    row.get_by_role("link", name="Delete").click()
    visitor.dialog("Delete the token nightly build?").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").first).to_have_text("Token deleted. It no longer works.")
    expect(page.get_by_text("No permanent tokens.")).to_be_visible()
    assert not site.is_good(secret)


def test_the_same_with_the_keyboard_alone(site: Site, visitor: Visitor) -> None:
    bot = site.bot("build-bot")
    page = visitor.see("/login")
    page.keyboard.type("admin")
    page.keyboard.press("Tab")
    page.keyboard.type("correct horse battery staple")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ada Lovelace")).to_be_visible()

    tab_to(page, "Users")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    tab_to(page, "Search by login or name")
    page.keyboard.type(bot)
    expect(page.get_by_text("1 account", exact=True)).to_be_visible()
    tab_to(page, bot.replace("-", " ").title())
    page.keyboard.press("Enter")
    expect(page.get_by_text("No permanent tokens.")).to_be_visible()

    tab_to(page, "New token…")
    page.keyboard.press("Enter")
    visitor.dialog("New token")
    page.keyboard.press("Escape")  # leads back, and nothing is made
    expect(page.get_by_text("No permanent tokens.")).to_be_visible()
    tab_to(page, "New token…")
    page.keyboard.press("Enter")
    visitor.dialog("New token")
    page.keyboard.type("nightly build")
    tab_to(page, "Build server ci")
    page.keyboard.press("Space")
    tab_to(page, "Create token")
    page.keyboard.press("Enter")
    visitor.dialog("Token nightly build")
    assert focused(page) == "Copy token"
    page.keyboard.press("Enter")
    expect(page.get_by_text("Copied.")).to_be_visible()
    secret = page.evaluate("navigator.clipboard.readText()")
    assert site.is_good(secret)
    page.keyboard.press("Escape")
    expect(page.get_by_role("row", name="nightly build")).to_be_visible()

    tab_to(page, "Delete the token nightly build…")
    page.keyboard.press("Enter")
    visitor.dialog("Delete the token nightly build?")
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No permanent tokens.")).to_be_visible()
    assert not site.is_good(secret)


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called so has the focus, and can be seen to have it."""
    for _ in range(60):
        if focused(page) == name:
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"The keyboard does not get to {name!r}.")


def focused(page: Page) -> str:
    """What the element with the focus is called."""
    name: str = page.evaluate(
        "(e => (e.labels?.[0]?.textContent ?? e.textContent).trim().replace(/\\s+/g, ' '))(document.activeElement)"
    )
    return name
