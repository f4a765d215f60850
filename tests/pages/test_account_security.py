"""The tab *Account Security*, beyond the two procedures of the seed; and *Token health*."""

from __future__ import annotations

import datetime
import re
import time

import pytest
from playwright.sync_api import Browser, expect

from tests.pages.furnishing import furnish
from tests.pages.site import Site, Visitor, open_window


def test_who_may_do_less_than_the_bot_is_told_what_is_missing(site: Site, visitor: Visitor) -> None:
    manager, bot, key = site.person("manager"), site.bot("powerful"), site.name("shop")
    declared = [{"key": "sell", "name": "Sell everything"}]
    service = site.api.post("/services", {"key": key, "name": "Web shop", "permissions": declared})
    permissions = site.api.get("/permissions?fields=id,key&$top=100")["permissions"]
    wanted = [each for each in permissions if each["key"] in ("read-user", "read-service", "update-user")]
    managing = site.api.post("/roles", {"key": site.name("role"), "name": "Manager", "permissions": wanted})
    site.api.post(f"/users/{manager}/projectroles", {"role": {"id": managing["id"]}})
    selling = site.api.post(
        "/roles", {"key": site.name("role"), "name": "Seller", "permissions": [{"id": service["permissions"][0]["id"]}]}
    )
    site.api.post(f"/users/{bot}/projectroles", {"role": {"id": selling["id"]}, "project": {"id": service["id"]}})

    page = visitor.enter(manager)
    visitor.see(site.address(bot, "security"))
    visitor.press("New token")
    dialog = visitor.dialog("New token")
    expect(dialog.get_by_role("listitem")).to_have_text(["Sell everything of Web shop, Web shop"])
    expect(dialog.get_by_label("Name")).to_have_count(0)
    dialog.get_by_role("link", name="Close").click()
    expect(page.get_by_text("No permanent tokens.")).to_be_visible()


def test_a_token_is_renamed_and_re_scoped_and_goes_on_working(site: Site, visitor: Visitor) -> None:
    bot = site.bot()
    token = site.token(bot, "first name", scope=("ci", "deploy"))["token"]
    page = visitor.enter()
    visitor.see(site.address(bot, "security"))
    page.get_by_role("link", name="first name", exact=True).click()
    visitor.press("Edit")
    dialog = visitor.dialog("Edit the token first name")
    dialog.get_by_label("Name").fill("second name")
    dialog.get_by_label("Deployment").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="second name")).to_be_visible()
    assert site.is_good(token)
    assert not site.is_good(token, "deploy")
    page.reload()
    expect(page.get_by_role("listitem").filter(has_text="Build server").get_by_text("used", exact=True)).to_be_visible()


def test_a_token_is_rotated_and_the_overlap_is_drawn(site: Site, visitor: Visitor) -> None:
    bot = site.bot()
    made = site.token(bot, "rotating")
    page = visitor.enter()
    visitor.see(site.address(bot, "security", "tokens", made["id"]))
    expect(page.locator(".timeline")).to_have_count(0)
    visitor.press("Rotate")
    dialog = visitor.dialog("Rotate the token rotating")
    dialog.get_by_label("7 days").check()
    dialog.get_by_role("button", name="Rotate").click()
    shown = visitor.dialog("Token rotating")
    expect(shown).to_contain_text("The last previous secret ends")
    second = shown.locator("#secret").inner_text()
    visitor.press("Copy token")
    expect(page.get_by_text("Copied.")).to_be_visible()
    visitor.press("Close")
    assert second != made["token"]
    assert site.is_good(second)
    assert site.is_good(made["token"])
    expect(page.locator(".timeline .life")).to_have_count(2)
    expect(page.get_by_role("listitem").filter(has_text="Previous secret")).to_contain_text(
        re.compile("in 7 days|next week")
    )
    visitor.see(site.address(bot, "security"))
    expect(page.get_by_role("row").filter(has_text="rotating")).to_contain_text("1 previous secret ends")

    visitor.see(site.address(bot, "security", "tokens", made["id"], "rotate"))
    page.get_by_label("none").check()
    page.get_by_role("button", name="Rotate").click()
    expect(visitor.dialog("Token rotating")).to_contain_text("All previous secrets have ended.")
    third = page.locator("#secret").inner_text()
    assert [site.is_good(secret) for secret in (made["token"], second, third)] == [False, False, True]


def test_a_token_that_has_ended_is_shown_so_and_offers_nothing_but_its_deletion(site: Site, visitor: Visitor) -> None:
    bot, body = site.bot(), {"name": "over", "scope": [{"key": "ci"}]}
    made = site.api.post(f"/users/{bot}/permanenttokens", {**body, "expiresOn": int(time.time() * 1000) + 1_500})
    one = f"/users/{bot}/permanenttokens/{made['id']}"
    site.api.post(f"{one}/rotate", {"grace": 3600})
    page = visitor.enter()
    while "expired" not in site.api.get(f"{one}?fields=flags")["flags"]:
        time.sleep(0.1)
    visitor.see(site.address(bot, "security"))
    row = page.get_by_role("row").filter(has_text="over")
    expect(row).to_contain_text("expired")
    expect(row).not_to_contain_text("earlier secret")
    page.get_by_role("link", name="over", exact=True).click()
    expect(page.get_by_text("This token has expired and can no longer be changed")).to_be_visible()
    expect(page.get_by_role("link", name="Delete")).to_be_visible()
    for gone in ("Rotate", "Edit"):
        expect(page.get_by_role("link", name=gone)).to_have_count(0)
    expect(page.locator(".timeline")).to_have_count(0)
    for form in ("rotate", "edit"):
        visitor.see(site.address(bot, "security", "tokens", made["id"], form))
        expect(page.get_by_text("Create a new token: the name is free.")).to_be_visible()


def test_a_token_gets_a_last_day(site: Site, visitor: Visitor) -> None:
    bot, day = site.bot(), (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=30)).date()
    page = visitor.enter()
    visitor.see(site.address(bot, "security", "tokens", "new"))
    page.get_by_label("Name").fill("for a month")
    page.get_by_label("Build server").check()
    page.get_by_label("Expires on (UTC)").fill("2026-01-02")
    visitor.press("Create token")
    expect(page.locator("#rule-expiresOn")).to_contain_text("Must be in the future")
    page.get_by_label("Expires on (UTC)").fill(day.isoformat())
    visitor.press("Create token")
    visitor.dialog("Token for a month")
    visitor.press("Close")
    expires = page.locator("td[data-label=Expires] time")
    expect(expires).to_have_attribute("datetime", f"{day}T23:59:59Z")
    for health in (site.address(bot, "health"), f"/token-health?searched=1&q={bot}"):
        visitor.see(health)
        expect(page.get_by_role("listitem").filter(has_text="Token for a month of")).to_be_visible()
    visitor.see(site.address(bot, "security"))
    page.get_by_role("link", name="for a month", exact=True).click()
    visitor.press("Edit")
    expect(page.get_by_label("Expires on (UTC)")).to_have_value(day.isoformat())
    page.get_by_label("Expires on (UTC)").fill("")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("definition").filter(has_text="never")).to_have_count(2)  # used, and expiring


def test_what_is_said_of_a_token_is_filled_in_shown_and_changed(site: Site, visitor: Visitor) -> None:
    bot = site.bot()
    page = visitor.enter()
    visitor.see(site.address(bot, "security"))
    visitor.press("New token")
    dialog = visitor.dialog("New token")
    dialog.get_by_label("Name").fill("described")
    dialog.get_by_label("Build server").check()
    dialog.get_by_text("More details").click()
    dialog.get_by_label("Contact").fill("#team-build")
    dialog.get_by_label("Labels").fill("nightly\nteam=build")
    dialog.get_by_label("Allowed networks").fill("192.0.2.0/24\nnowhere")
    dialog.get_by_role("button", name="Create token").click()
    expect(dialog.locator("#rule-networks")).to_contain_text("Line 2")
    dialog.get_by_label("Allowed networks").fill("192.0.2.0/24")
    dialog.get_by_role("button", name="Create token").click()
    visitor.press("Close")
    expect(page.get_by_role("row").filter(has_text="described")).to_contain_text("team=build")
    page.get_by_role("link", name="described", exact=True).click()
    for shown in ("#team-build", "192.0.2.0/24", "nightly"):
        expect(page.get_by_text(shown, exact=True)).to_be_visible()
    visitor.press("Edit")
    dialog = visitor.dialog("Edit the token described")
    dialog.get_by_text("More details").click()
    dialog.get_by_label("Labels").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("nightly", exact=True)).to_have_count(0)
    expect(page.get_by_text("#team-build", exact=True)).to_be_visible()


def test_a_name_that_is_taken_is_refused_beside_the_field(site: Site, visitor: Visitor) -> None:
    bot = site.bot()
    site.token(bot, "taken")
    page = visitor.enter()
    visitor.see(site.address(bot, "security", "tokens", "new"))
    page.get_by_label("Name").fill("taken")
    page.get_by_label("Build server").check()
    visitor.press("Create token")
    expect(page.locator("#rule-name")).to_contain_text("has a permanent token named 'taken' already")
    expect(page.get_by_label("Name")).to_have_value("taken")
    expect(page.get_by_label("Build server")).to_be_checked()


def test_an_application_password_is_made_used_and_deleted(site: Site, visitor: Visitor) -> None:
    made = furnish(site)
    visitor.context.add_cookies([{"name": "keyturn", "value": made.session, "url": site.url}])
    page = visitor.see(site.address(made.person, "security"))
    visitor.press("New password")
    dialog = visitor.dialog("New application password")
    dialog.get_by_label("Name").fill("calendar")
    dialog.get_by_role("button", name="Create password").click()
    shown = visitor.dialog("Application password calendar")
    password = shown.locator("#secret").inner_text()
    visitor.press("Copy password")
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert site.is_good(password)
    visitor.press("Close")
    visitor.press("Delete the application password calendar")
    dialog = visitor.dialog("Delete the application password calendar?")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status").first).to_contain_text("Application password deleted.")
    assert not site.is_good(password)


def test_what_a_service_may_do_is_shown_and_taken_back(site: Site, visitor: Visitor) -> None:
    made = furnish(site)
    page = visitor.enter()  # an administrator does it for somebody else
    visitor.see(site.address(made.person, "security"))
    section = page.get_by_role("region", name="Refresh tokens")
    expect(section.get_by_role("row", name=re.compile("Web shop"))).to_be_visible()
    section.get_by_role("link", name="Delete").click()
    visitor.dialog("Delete the refresh token of Web shop").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No refresh tokens.")).to_be_visible()
    page.get_by_role("region", name="Approved scopes").get_by_role("link", name="Revoke").click()
    visitor.dialog("Revoke the approval for Web shop").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("No approved scopes.")).to_be_visible()


def test_from_a_mark_it_is_one_click_to_the_token(site: Site, visitor: Visitor) -> None:
    made = furnish(site)
    page = visitor.enter()
    visitor.see(site.address(made.bot, "health"))
    expect(page.locator(".tiles .in-use")).to_contain_text("2")
    expect(page.locator(".tiles .new")).to_contain_text("1")
    expect(page.get_by_role("row", name=re.compile("nightly build.*1 of 3"))).to_contain_text("Deployment")
    marks = page.locator("svg.chart a")
    expect(marks).to_have_count(3)
    page.locator("svg.chart a", has=page.locator("title", has_text="backup")).locator(".dot").click()
    expect(page.get_by_role("heading", name="backup")).to_be_visible()

    visitor.see(site.address(made.person, "health"))
    expect(page.get_by_text("2 tokens and approved scopes expire in the next 27 weeks.")).to_be_visible()
    page.locator(".calendar .ends").first.click()
    expect(page.get_by_role("heading", name="Approved scopes")).to_be_visible()

    visitor.see(f"/token-health?searched=1&q={made.bot}")
    expect(page.get_by_text("Tokens of 1 of 1 account")).to_be_visible()
    expect(page.locator("svg.chart a")).to_have_count(3)


@pytest.mark.parametrize(
    ("locale", "zone", "shown"),
    [
        ("en-US", "America/Los_Angeles", re.compile(r"[A-Z][a-z]{2} \d+, 20\d\d")),
        ("de-DE", "Europe/Berlin", re.compile(r"\d\d\.\d\d\.20\d\d")),
        ("ja-JP", "Asia/Tokyo", re.compile(r"20\d\d/\d\d/\d\d")),
    ],
)
def test_times_are_in_the_readers_zone_and_language(
    site: Site, chromium: Browser, locale: str, zone: str, shown: re.Pattern[str]
) -> None:
    bot = site.bot()
    site.token(bot)
    visitor = open_window(site, chromium, locale=locale, timezone_id=zone)
    page = visitor.enter()
    visitor.see(site.address(bot, "security"))
    expect(page.locator("td[data-label=Created] time")).to_have_text(shown)
    visitor.context.close()
