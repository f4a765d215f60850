"""Administration › Access Management: users, groups, roles, services, and the audit log."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from chalicelib.core.access.permissions import READ_USER
from tests.pages.site import Site, Visitor
from tests.receiver import Receiver


@pytest.fixture
def page(visitor: Visitor) -> Page:
    visitor.enter()
    return visitor.see("/")


def said(page: Page, text: str) -> None:
    expect(page.get_by_role("status").first).to_have_text(text)


def test_users_are_searched_as_one_types_and_filtered(site: Site, visitor: Visitor, page: Page) -> None:
    person, bot = site.person("amelia"), site.bot("amelia-bot")
    banned = site.bot("amelia-banned")
    site.api.post(f"/users/{banned}", {"banned": True})
    visitor.press("Users")
    page.get_by_label("Search by login or name").press_sequentially("amelia", delay=20)
    for login in (person, bot, banned):
        expect(page.get_by_role("row").filter(has_text=re.compile(rf"\b{login}\b"))).to_be_visible()
    expect(page.get_by_role("cell", name="admin", exact=True)).to_have_count(0)
    expect(page.get_by_label("Search by login or name")).to_be_focused()
    page.get_by_label("Banned").check()
    expect(page.get_by_text("1 account", exact=True)).to_be_visible()
    assert "banned=1" in page.url
    page.reload()
    expect(page.get_by_text("1 account", exact=True)).to_be_visible()
    page.get_by_label("Search by login or name").fill("amelia or nobody")
    expect(page.get_by_role("alert")).to_contain_text("supports only and between terms")
    page.get_by_label("Search by login or name").fill("nobody-at-all")
    expect(page.get_by_text("No matching accounts.")).to_be_visible()


def test_ownerless_bots_are_found(site: Site, visitor: Visitor, page: Page) -> None:
    leaver = site.person("leaver")
    bot = site.bot("orphan", owner={"login": leaver})
    site.api.call("DELETE", f"/users/{leaver}")
    visitor.press("Users")
    page.get_by_label("Ownerless").check()
    expect(page.get_by_role("row").filter(has_text=bot)).to_contain_text("Ownerless")


def test_an_owner_whom_one_may_not_see_is_named_by_its_id_alone(site: Site, visitor: Visitor) -> None:
    group, reader = site.api.post("/usergroups", {"name": site.name("Owners")}), site.person()
    bot = site.bot(owner={"id": group["id"]})
    role = {"key": site.name("reads-users"), "name": "Reads users", "permissions": [{"id": READ_USER}]}
    granted = {"role": {"id": site.api.post("/roles", role)["id"]}}
    site.api.post(f"/users/{reader}/projectroles", granted)
    visitor.enter(reader)
    row = visitor.see(f"/users?q={bot}").get_by_role("row").filter(has_text=bot)
    expect(row).to_contain_text(group["id"])
    expect(row).not_to_contain_text(group["name"])


def test_many_accounts_come_in_parts(site: Site, visitor: Visitor, page: Page) -> None:
    for number in range(55):
        site.api.post("/users", {"login": f"crowd-{number:02}", "name": f"Crowd {number:02}", "type": "bot"})
    visitor.press("Users")
    page.get_by_label("Search by login or name").fill("crowd-")
    expect(page.get_by_text("1–50 of 55")).to_be_visible()
    visitor.press("Next →")
    expect(page.get_by_text("51–55 of 55")).to_be_visible()
    expect(page.get_by_role("cell", name="crowd-54")).to_be_visible()


def test_a_bot_is_created_changed_banned_and_deleted(site: Site, visitor: Visitor, page: Page) -> None:
    login = site.name("deploy-bot")
    visitor.press("Users")
    visitor.press("New bot")
    dialog = visitor.dialog("New account")
    expect(dialog.get_by_label("Bot")).to_be_checked()
    dialog.get_by_label("Login").fill("has spaces")
    dialog.get_by_label("Full name").fill("Deploy bot")
    dialog.get_by_role("button", name="Create account").click()
    expect(page.locator("#rule-login")).to_be_visible()
    expect(dialog.get_by_label("Full name")).to_have_value("Deploy bot")
    dialog.get_by_label("Login").fill(login)
    dialog.get_by_role("button", name="Create account").click()
    said(page, "Account created.")
    expect(page.get_by_role("link", name="Login", exact=True)).to_have_count(0)  # a bot logs in nowhere

    visitor.press("Overview")
    expect(page.get_by_role("link", name="Ada Lovelace").last).to_be_visible()  # who owns it
    visitor.press("Edit")
    dialog = visitor.dialog("Edit Deploy bot")
    dialog.get_by_label("Description").fill("Deploys the shop.")
    dialog.get_by_label("Owner").fill("nobody-there")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#rule-owner")).to_contain_text("There is no person or group")
    dialog.get_by_label("Owner").fill("")
    dialog.get_by_role("button", name="Save").click()
    said(page, "Account updated.")
    expect(page.get_by_text("Deploys the shop.")).to_be_visible()
    expect(page.get_by_text("Ownerless")).to_be_visible()

    token = site.token(login)["token"]
    visitor.press("Ban")
    dialog = visitor.dialog("Ban Deploy bot?")
    dialog.get_by_label("Reason").fill("leaked on a paste site")
    dialog.get_by_role("button", name="Ban").click()
    said(page, "Account banned. Its tokens and logins are refused.")
    expect(page.get_by_text("leaked on a paste site")).to_be_visible()
    assert not site.is_good(token)
    visitor.press("Unban")
    visitor.dialog("Unban Deploy bot?").get_by_role("button", name="Unban").click()
    assert site.is_good(token)

    visitor.press("Delete")
    visitor.dialog("Delete Deploy bot?").get_by_role("button", name="Delete account").click()
    said(page, "Account deleted, with all its credentials.")
    assert not site.is_good(token)
    assert site.api.call("GET", f"/users/{login}").status_code == 404


def test_the_last_administrator_cannot_be_deleted_and_the_page_says_why(site: Site, visitor: Visitor) -> None:
    page = visitor.enter()
    visitor.see(site.address("admin", "delete"))
    visitor.dialog("Delete Ada Lovelace?").get_by_role("button", name="Delete account").click()
    expect(page.get_by_role("alert")).to_contain_text("administrator")


def test_a_group_gets_members_and_roles(site: Site, visitor: Visitor, page: Page) -> None:
    outer, inner, login = site.name("Everybody"), site.name("Shop team"), site.person()
    for name, parent in ((outer, None), (inner, outer)):
        visitor.press("Groups")
        visitor.press("New group")
        dialog = visitor.dialog("New group")
        dialog.get_by_label("Name").fill(name)
        if parent:
            dialog.get_by_label("Parent group").select_option(parent)
        dialog.get_by_role("button", name="Create group").click()
        said(page, "Group created.")
    expect(page.get_by_role("link", name=outer)).to_be_visible()

    visitor.press("Add a member")
    dialog = visitor.dialog(f"Add a member to {inner}")
    dialog.get_by_label("Login").fill("nobody-there")
    dialog.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no user 'nobody-there'.")
    page.get_by_label("Login", exact=True).fill(login)
    page.get_by_role("button", name="Add").click()
    said(page, "Member added.")

    visitor.press("Grant a role")
    dialog = visitor.dialog(f"Grant a role to {inner}")
    dialog.get_by_label("Role").select_option("Registered User")
    dialog.get_by_label("Where").select_option("Build server")
    dialog.get_by_role("button", name="Grant").click()
    said(page, "Role granted.")
    visitor.see(site.address(login, "access"))
    expect(page.get_by_role("row").filter(has_text=f"through {inner}").first).to_contain_text("Build server")

    visitor.press("Groups")
    page.get_by_role("link", name=inner).click()
    visitor.press("Revoke the role Registered User")
    visitor.dialog(f"Revoke this role from {inner}?").get_by_role("button", name="Revoke").click()
    said(page, "Role revoked.")
    visitor.press(f"Remove Jo {login.title()}")
    visitor.dialog(f"Remove Jo {login.title()} from {inner}?").get_by_role("button", name="Remove").click()
    said(page, "Member removed.")
    visitor.press("Edit")
    dialog = visitor.dialog(f"Edit {inner}")
    dialog.get_by_label("Require two-factor authentication").check()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("required for logins")).to_be_visible()
    visitor.press("Delete")
    visitor.dialog(f"Delete the group {inner}?").get_by_role("button", name="Delete group").click()
    said(page, "Group deleted.")


def test_a_role_is_made_of_permissions_and_granted(site: Site, visitor: Visitor, page: Page) -> None:
    key, login = site.name("auditor"), site.person()
    visitor.press("Roles")
    visitor.press("New role")
    dialog = visitor.dialog("New role")
    dialog.get_by_label("Name").fill("Auditor")
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_role("button", name="Create role").click()
    expect(page.locator("#rule-permissions")).to_contain_text("Must name 1 to")
    dialog.get_by_label("Filter the list").fill("audit")
    expect(dialog.get_by_label("Read User")).to_be_hidden()
    dialog.get_by_label("Read Audit").check()
    dialog.get_by_role("button", name="Create role").click()
    said(page, "Role created.")
    expect(page.get_by_role("row", name="Read Audit Keyturn")).to_be_visible()

    visitor.see(site.address(login, "access"))
    visitor.press("Grant a role")
    visitor.dialog(f"Grant a role to Jo {login.title()}").get_by_label("Role").select_option("Auditor")
    page.get_by_role("button", name="Grant").click()
    said(page, "Role granted.")
    expect(page.get_by_role("row", name="Read Audit Keyturn everywhere Auditor")).to_be_visible()

    visitor.see(f"/roles/{key}")
    visitor.press("Edit")
    visitor.dialog("Edit Auditor").get_by_label("Read Group").check()
    page.get_by_role("button", name="Save").click()
    said(page, "Role updated.")
    visitor.press("Delete")
    visitor.dialog("Delete the role Auditor?").get_by_role("button", name="Delete role").click()
    said(page, "Role deleted.")


def test_a_service_is_registered_changed_and_gets_a_new_secret(site: Site, visitor: Visitor, page: Page) -> None:
    key = site.name("shop")
    visitor.press("Services")
    visitor.press("New service")
    dialog = visitor.dialog("New service")
    dialog.get_by_label("Name").fill("Web shop")
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_label("Redirect URIs").fill("http://shop.example.com/callback")
    dialog.get_by_role("button", name="Create service").click()
    expect(page.get_by_role("alert")).to_contain_text("Must be an https address")
    expect(page.locator("#rule-redirectUris")).to_contain_text("(Line 1.)")
    dialog.get_by_label("Redirect URIs").fill("https://shop.example.com/callback\nhttps://shop.example.com/two")
    dialog.get_by_label("Declared permissions").fill("read-orders Read orders")
    dialog.get_by_role("button", name="Create service").click()
    secret = visitor.dialog("Secret of Web shop").locator("#secret").inner_text()
    site.services[key] = secret
    token = site.token(site.bot(), scope=(key,))["token"]
    assert site.is_good(token, key)
    visitor.press("Copy secret")
    expect(page.get_by_text("Copied.")).to_be_visible()
    visitor.press("Close")
    expect(page.get_by_text("https://shop.example.com/two")).to_be_visible()
    expect(page.get_by_role("row", name="Read orders read-orders")).to_be_visible()

    visitor.press("Edit")
    dialog = visitor.dialog("Edit Web shop")
    dialog.get_by_label("Trusted").check()
    dialog.get_by_role("button", name="Save").click()
    said(page, "Service updated.")
    expect(page.get_by_text("trusted", exact=True)).to_be_visible()

    visitor.press("New secret")
    visitor.dialog("New secret for Web shop").get_by_role("button", name="Create secret").click()
    renewed = visitor.dialog("Secret of Web shop").locator("#secret").inner_text()
    assert renewed != secret
    assert site.is_good(token, key)  # by the earlier one, which has a day
    site.services[key] = renewed
    assert site.is_good(token, key)
    visitor.press("Close")
    good = page.get_by_role("listitem").filter(has_text="Previous secret, since")
    expect(good).to_have_count(1)
    expect(page.get_by_text("Current secret, since")).to_be_visible()
    here = page.url
    visitor.see("/services?q=Web")
    expect(page.get_by_role("row", name=key)).to_contain_text("Previous secret ends")
    visitor.see(here)

    visitor.press("New secret")
    dialog = visitor.dialog("New secret for Web shop")
    dialog.get_by_label("none").check()
    dialog.get_by_role("button", name="Create secret").click()
    last = visitor.dialog("Secret of Web shop").locator("#secret").inner_text()
    assert [site.asks(key, each) for each in (secret, renewed, last)] == [401, 401, 200]
    visitor.press("Close")
    expect(good).to_have_count(0)
    visitor.press("Delete")
    visitor.dialog("Delete the service Web shop?").get_by_role("button", name="Delete service").click()
    said(page, "Service deleted.")


def test_a_webhook_is_made_tried_changed_renewed_and_deleted(site: Site, visitor: Visitor, page: Page) -> None:
    receiver, name = Receiver(lambda number: "fail" if number == 0 else "take"), site.name("hook")
    visitor.press("Webhooks")
    visitor.press("New webhook")
    dialog = visitor.dialog("New webhook")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("URL").fill("http://hooks.example.com/")
    dialog.get_by_label("permanent-token.leaked").check()
    dialog.get_by_role("button", name="Create webhook").click()
    expect(page.locator("#rule-url")).to_contain_text("Must be an https address")
    other = site.api.post("/webhooks", {"name": site.name("hook"), "url": receiver.url})
    dialog.get_by_label("URL").fill(receiver.url)
    dialog.get_by_label("Name").fill(other["name"].upper())
    dialog.get_by_role("button", name="Create webhook").click()
    expect(page.locator("#rule-name")).to_contain_text("There is a webhook named")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Create webhook").click()
    receiver.secret = visitor.dialog(f"Secret of {name}").locator("#secret").inner_text()
    visitor.press("Close")
    expect(page.get_by_text("permanent-token.leaked")).to_be_visible()
    expect(page.get_by_text("no deliveries yet")).to_be_visible()

    visitor.press("Send test event")
    dialog = visitor.dialog(f"Send a test event to {name}?")
    dialog.get_by_role("button", name="Send test event").click()
    expect(page.get_by_role("alert")).to_have_text("Did not accept the test event: it answered with 500.")
    dialog.get_by_role("button", name="Send test event").click()
    said(page, "The webhook accepted the test event.")
    expect(page.get_by_text("delivering")).to_be_visible()
    assert [message["data"]["token"]["name"] for message in receiver.got] == ["test"]

    visitor.press("Edit")
    dialog = visitor.dialog(f"Edit {name}")
    dialog.get_by_label("Name").fill(f"{name}-2")
    dialog.get_by_label("permanent-token.leaked").uncheck()
    dialog.get_by_role("button", name="Save").click()
    said(page, "Webhook updated.")
    expect(page.get_by_text("all", exact=True)).to_be_visible()

    visitor.press("New secret")
    visitor.dialog(f"New secret for {name}-2").get_by_role("button", name="Create secret").click()
    shown = visitor.dialog(f"Secret of {name}-2").locator("#secret").inner_text()
    visitor.press("Close")
    expect(page.get_by_text("Previous secret, since")).to_be_visible()
    for secret in (receiver.secret, shown):  # the receiver may change over when it likes
        receiver.secret = secret
        visitor.press("Send test event")
        visitor.dialog(f"Send a test event to {name}-2?").get_by_role("button", name="Send test event").click()
        said(page, "The webhook accepted the test event.")

    visitor.press("Delete")
    visitor.dialog(f"Delete the webhook {name}-2?").get_by_role("button", name="Delete webhook").click()
    said(page, "Webhook deleted. It no longer receives events.")
    receiver.close()


def test_the_audit_log_is_filtered(site: Site, visitor: Visitor, page: Page) -> None:
    bot = site.bot()
    site.token(bot, "watched")
    visitor.press("Audit log")
    page.get_by_label("Target", exact=True).fill(bot)
    page.get_by_label("Event").fill("permanent-token.created")
    visitor.press("Filter")
    row = page.get_by_role("row").nth(1)
    for text in ("permanent-token.created", "Ada Lovelace", "watched"):
        expect(row).to_contain_text(text)
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_label("To", exact=True).fill("2026-01-02")
    visitor.press("Filter")
    expect(page.get_by_text("No records.")).to_be_visible()
    visitor.see("/audit?from=yesterday")
    expect(page.get_by_role("alert")).to_contain_text("must be a date such as 2026-11-25")
    visitor.see("/audit")
    older = page.get_by_role("link", name="Older →")
    if older.count():
        older.click()
    visitor.see(site.address(bot, "history"))
    expect(page.get_by_role("row").filter(has_text="user.created")).to_be_visible()


def test_who_may_read_nothing_sees_only_their_own(site: Site, visitor: Visitor) -> None:
    login = site.person()
    visitor.enter(login)
    page = visitor.see("/")
    navigation = page.get_by_role("navigation", name="Main")
    expect(navigation.get_by_role("link")).to_have_text(["Profile", "Services"])
    for path in (
        "/users",
        "/groups",
        "/roles",
        "/audit",
        "/token-health",
        "/webhooks",
        f"/users/{site.id_of('admin')}/security",
    ):
        visitor.see(path)
        expect(page.get_by_text("This needs the permission")).to_be_visible()
    visitor.see("/users/nobody-there")
    expect(page.get_by_text("This needs the permission")).to_be_visible()


def test_a_policy_is_previewed_before_it_is_applied(site: Site, visitor: Visitor) -> None:
    bot, key = site.bot("governed"), site.name("shop")
    service = site.api.post("/services", {"key": key, "name": f"Shop {key}"})
    for name in ("one", "two"):
        site.api.post(f"/users/{bot}/permanenttokens", {"name": name, "scope": [{"key": key}]})
    page = visitor.enter()
    visitor.see(f"{site.url}/services/{service['id']}")
    visitor.press("Token policy")
    dialog = visitor.dialog("Token policy")
    dialog.get_by_label("Maximum age of a secret, in days").fill("a year")
    dialog.get_by_role("button", name="Preview").click()
    expect(dialog.locator("#rule-longestLifeDays")).to_contain_text("whole number of days")
    dialog.get_by_label("Maximum age of a secret, in days").fill("365")
    dialog.get_by_role("button", name="Preview").click()
    preview = visitor.dialog("2 tokens would be affected")
    expect(preview.get_by_role("row")).to_have_count(3)
    assert site.api.call("GET", f"/services/{key}/policy").status_code == 404
    preview.get_by_role("button", name="Apply policy").click()
    expect(page.get_by_text("Token policy applied.")).to_be_visible()
    expect(page.get_by_text("Secrets expire after 365 days.")).to_be_visible()
    assert site.api.get(f"/services/{key}/policy")["longestLifeDays"] == 365
    page.get_by_role("button", name="Remove policy").click()
    expect(page.get_by_text("Token policy removed.")).to_be_visible()
    assert site.api.call("GET", f"/services/{key}/policy").status_code == 404
