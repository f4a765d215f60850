"""Pictures of the main pages, for the documentation.

    python -m tests.pages.screenshots

Writes `docs/screenshots/*.png`, from an installation that is made for it: bots of a small shop, whose tokens are made
older in the database than they are, so that *Token health* has something to tell.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from embedded.layout import PROJECT
from embedded.stack import Stack
from tests.pages.chromium import FLAGS, executable
from tests.pages.furnishing import DEVICE, Furnished, furnish, start_device
from tests.pages.site import Site, Visitor, open_window

FOLDER = PROJECT / "docs" / "screenshots"
DESK, PHONE = {"width": 1180, "height": 800}, {"width": 390, "height": 844}
DAY_MS = 24 * 3600 * 1000
SERVICES = {"tracker": "Issue tracker", "wiki": "Wiki", "registry": "Package registry", "mail": "Mail gateway"}
BOTS = {
    "shop-build": ("Shop build", ["compile", "unit tests", "browser tests", "publish packages"]),
    "shop-deploy": ("Shop deployment", ["staging", "production", "rollback"]),
    "backup": ("Nightly backup", ["database", "attachments"]),
    "report": ("Weekly report", ["collect figures", "send mail"]),
    "sync": ("Wiki synchronizer", ["read pages", "write pages", "old importer"]),
    "monitoring": ("Monitoring", ["probe", "alerts", "status page", "trial"]),
}


def main() -> None:
    """Take all pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack, sync_playwright() as playwright:
        site = Site(stack, stack.administrator(), stack.page).prepare()
        made = furnish(site, lambda name: name.partition(" x-")[0])
        rotating = _fill(site)
        chromium = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        _of_the_administrator(site, chromium, rotating)
        _on_a_phone(site, chromium, made)
        chromium.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.relative_to(PROJECT)}")


def _of_the_administrator(site: Site, chromium: Browser, rotating: str) -> None:
    for scheme in ("light", "dark"):
        visitor = open_window(site, chromium, viewport=DESK, color_scheme=scheme)
        page = visitor.log_in()
        if scheme == "light":
            visitor.see(site.address("shop-build", "security"))
            _take(page, "account-security")
            visitor.press("New token")
            page.get_by_label("Name").fill("smoke tests")
            page.get_by_label("Build server").check()
            _take(page, "new-token", whole=False)
            visitor.press("Create token")
            visitor.dialog("Token smoke tests")
            _take(page, "token-shown-once", whole=False)
            visitor.see(site.address("shop-deploy", "security", "tokens", rotating))
            _take(page, "rotation")
        else:
            visitor.see("/users")
            _take(page, "users-dark")
        visitor.see("/token-health")
        page.set_viewport_size({**DESK, "height": 1_000})
        _take(page, f"token-health-{scheme}", whole=False)
        visitor.context.close()


def _on_a_phone(site: Site, chromium: Browser, made: Furnished) -> None:
    visitor = open_window(site, chromium, viewport=PHONE, color_scheme="dark", device_scale_factor=1.5)
    _take(visitor.see("/login"), "login-phone", whole=False)
    _log_in_as(visitor, made)
    code = start_device(site, made)["user_code"]
    _take(visitor.see(f"{DEVICE}?user_code={code}"), "consent-phone", whole=False)
    visitor.see(site.address(made.person, "security"))
    _take(visitor.page, "account-security-phone", whole=False)
    visitor.context.close()


def _log_in_as(visitor: Visitor, made: Furnished) -> None:
    visitor.context.add_cookies([{"name": "keyturn", "value": made.session, "url": visitor.site.url}])


def _take(page: Page, name: str, whole: bool = True) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png", full_page=whole, animations="disabled")


def _fill(site: Site) -> str:
    """Bots with tokens of many ages; the id of one that was rotated."""
    for key, name in SERVICES.items():
        site.services[key] = site.api.post("/services", {"key": key, "name": name})["secret"]
    chance, rotating = random.Random(7), ""
    for login, (name, tokens) in BOTS.items():
        site.api.post("/users", {"login": login, "name": name, "type": "bot"})
        for token in tokens:
            scope = tuple(chance.sample([*SERVICES, "ci", "deploy"], chance.randint(1, 4)))
            made = site.token(login, token, scope)
            for service in scope[: chance.randint(0, len(scope))]:
                assert site.is_good(made["token"], service)
            _make_older(site, made["id"], chance)
            if token == "production":
                rotating = made["id"]
    path = f"/users/shop-deploy/permanenttokens/{rotating}/rotate"
    for grace in ("P2D", "P7D"):
        site.api.post(path, {"grace": grace})
    return rotating


def _make_older(site: Site, token_id: str, chance: random.Random) -> None:
    item = site.item_of(token_id)
    now = int(time.time() * 1000)
    age = int(DAY_MS * 10 ** chance.uniform(-0.3, 2.9))
    item["created"] = now - age
    if item.get("last_used") is not None:
        item["last_used"] = now - int(min(age * 0.9, DAY_MS * 10 ** chance.uniform(-1.3, 2.9)))
    site.table().put_item(Item=item)


if __name__ == "__main__":
    main()
