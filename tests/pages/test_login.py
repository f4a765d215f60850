"""Logging in: password, second factors, passkeys, forced pairing, and logging out."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.pages.site import Site, Visitor, open_window
from tests.people import PASSWORD

REFUSED = "Incorrect login, password or second factor."


def test_a_wrong_password_is_told_from_no_such_login_by_nothing(site: Site, visitor: Visitor) -> None:
    for login in (site.person(), "nobody-there"):
        page = visitor.log_in(login, "a wrong password")
        expect(page.get_by_role("alert")).to_have_text(REFUSED)
        expect(page.get_by_label("Login")).to_have_value(login)


def test_who_is_sent_to_the_login_gets_to_the_page_afterwards(site: Site, visitor: Visitor) -> None:
    login = site.person()
    page = visitor.see(site.address(login, "access"))
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    visitor.fill_in(login)
    expect(page.get_by_role("heading", name="Direct roles")).to_be_visible()


def test_an_authenticator_app_is_paired_by_a_picture_and_asked_for_from_then_on(site: Site, visitor: Visitor) -> None:
    login = site.person()
    secret, codes = pair(visitor, login)

    visitor.press("Log out")
    expect(visitor.page.get_by_role("status")).to_have_text("You are logged out.")
    page = visitor.log_in(login)
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    assert PASSWORD not in page.content()
    page.get_by_label("Code").fill("000000")
    visitor.press("Log in")
    expect(page.get_by_role("alert")).to_have_text("Incorrect second factor. Try again.")
    page.get_by_label("Code").fill(visitor.code(secret, later=1))
    visitor.press("Log in")
    expect(page.get_by_role("heading", name="Permanent tokens")).to_be_visible()

    visitor.press("Log out")
    page = visitor.log_in(login)
    page.get_by_label("Code").fill(codes[0])
    visitor.press("Log in")
    expect(page.get_by_role("heading", name="Permanent tokens")).to_be_visible()
    visitor.press("Login")
    expect(page.get_by_text(f"{len(codes) - 1} left")).to_be_visible()


def test_a_passkey_is_made_and_logs_in_without_a_password(site: Site, visitor: Visitor) -> None:
    add_authenticator(visitor)
    login = site.person()
    page = visitor.log_in(login)
    visitor.press("Login")
    visitor.press("Add a passkey")
    dialog = visitor.dialog("Add a passkey")
    dialog.get_by_label("Name").fill("this computer")
    dialog.get_by_role("button", name="Add").click()
    visitor.dialog("Passkey added").get_by_role("link", name="Done").click()
    expect(page.get_by_role("row", name="this computer")).to_be_visible()

    visitor.press("Log out")
    visitor.press("Use a passkey")
    expect(page.get_by_role("heading", name="Permanent tokens")).to_be_visible()

    visitor.press("Log out")
    page = visitor.log_in(login)
    expect(page.get_by_role("heading", name="Two-factor authentication")).to_be_visible()
    visitor.press("Use your passkey")
    expect(page.get_by_role("heading", name="Permanent tokens")).to_be_visible()

    visitor.press("Login")
    visitor.press("Remove the passkey this computer")
    visitor.dialog("Remove the passkey this computer?").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No passkeys.")).to_be_visible()


def test_a_member_of_a_group_that_requires_it_can_do_nothing_before_pairing(site: Site, visitor: Visitor) -> None:
    login = site.person()
    group = site.api.post("/usergroups", {"name": site.name("strict"), "requiredTwoFactorAuthentication": True})["id"]
    site.api.post(f"/usergroups/{group}/users", {"login": login})

    page = visitor.log_in(login)
    expect(page.get_by_text("One of your groups requires a second factor.")).to_be_visible()
    visitor.see(site.address(login, "security"))
    expect(page.get_by_text("One of your groups requires a second factor.")).to_be_visible()
    expect(page.get_by_role("navigation", name="Main")).to_have_count(0)

    secret, _ = pair(visitor, login, logged_in=True)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    visitor.press("Log out")
    page = visitor.log_in(login)
    page.get_by_label("Code").fill(visitor.code(secret, later=1))
    visitor.press("Log in")
    expect(page.get_by_role("heading", name="Permanent tokens")).to_be_visible()


def test_the_bot_of_such_a_group_goes_on_with_its_token(site: Site) -> None:
    bot = site.bot()
    token = site.token(bot)["token"]
    group = site.api.post("/usergroups", {"name": site.name("strict"), "requiredTwoFactorAuthentication": True})["id"]
    site.api.post(f"/usergroups/{group}/users", {"login": bot})
    assert site.is_good(token)


def test_a_new_password_ends_all_sessions(site: Site, visitor: Visitor) -> None:
    login = site.person()
    page = visitor.log_in(login)
    visitor.press("Login")
    visitor.press("Change password")
    dialog = visitor.dialog(f"Password of Jo {login.title()}")
    dialog.get_by_label("Current password").fill("not this one")
    new = "another staple of horses"
    dialog.get_by_label("New password", exact=True).fill(new)
    dialog.get_by_label("Confirm new password").fill(new + "!")
    dialog.get_by_role("button", name="Set password").click()
    expect(page.locator("#rule-repeated")).to_have_text("Must be the same as the new password.")
    dialog.get_by_label("Current password").fill("not this one")
    dialog.get_by_label("New password", exact=True).fill(new)
    dialog.get_by_label("Confirm new password").fill(new)
    dialog.get_by_role("button", name="Set password").click()
    expect(page.locator("#rule-currentPassword")).to_have_text("Is incorrect.")
    dialog.get_by_label("Current password").fill(PASSWORD)
    dialog.get_by_label("New password", exact=True).fill(new)
    dialog.get_by_label("Confirm new password").fill(new)
    dialog.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("status")).to_contain_text("Password set.")
    visitor.log_in(login, new)
    expect(page.get_by_role("heading", name="Permanent tokens")).to_be_visible()


def test_sessions_are_listed_and_ended_one_by_one_or_all_together(
    site: Site, visitor: Visitor, chromium: Browser
) -> None:
    login = site.person()
    other = open_window(site, chromium)
    other.log_in(login)
    page = visitor.log_in(login)
    visitor.press("Login")
    expect(page.get_by_role("link", name="End the session")).to_have_count(2)
    row = page.get_by_role("row").filter(has_text="127.0.0.1").filter(has_not_text="this session")
    row.get_by_role("link", name="End").click()
    visitor.dialog("End this session?").get_by_role("button", name="End session").click()
    expect(page.get_by_role("status").first).to_have_text("Session ended.")
    expect(other.see("/").get_by_role("heading", name="Log in")).to_be_visible()

    other.log_in(login)
    visitor.press("Log out everywhere")
    expect(page.get_by_role("status")).to_have_text("You are logged out everywhere.")
    expect(other.see("/").get_by_role("heading", name="Log in")).to_be_visible()
    other.context.close()


def pair(visitor: Visitor, login: str, logged_in: bool = False) -> tuple[str, list[str]]:
    """Pair an authenticator app, as the page says: the secret that the app knows then, and the recovery codes."""
    page = visitor.page if logged_in else visitor.log_in(login)
    if not logged_in:
        visitor.press("Login")
    visitor.press("Pair an app")
    visitor.dialog("Pair an authenticator app").get_by_role("button", name="Show QR code").click()
    dialog = visitor.dialog("Pair an authenticator app")
    expect(dialog.get_by_role("img", name="QR code for an authenticator app")).to_be_visible()
    secret = page.locator("#secret").inner_text()
    dialog.get_by_label("Code", exact=True).fill("000000")
    dialog.get_by_role("button", name="Pair").click()
    expect(page.locator("#rule-code")).to_have_text("Is incorrect. Enter the code that the app shows now.")
    page.get_by_label("Code", exact=True).fill(visitor.code(secret))
    page.get_by_role("button", name="Pair").click()
    dialog = visitor.dialog("Authenticator app paired")
    codes = page.locator("#secret").inner_text().split()
    assert len(codes) >= 8
    dialog.get_by_role("link", name="Done").click()
    expect(page.get_by_text("on", exact=True)).to_be_visible()
    return secret, codes


def add_authenticator(visitor: Visitor) -> None:
    """A passkey of the machine, as Chromium plays it for tests."""
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
