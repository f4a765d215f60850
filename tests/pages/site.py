"""A running Keyturn with accounts, and somebody who looks at it in a browser."""

from __future__ import annotations

import itertools
import re
import time
from dataclasses import dataclass, field
from typing import Any

import boto3
import pyotp
import requests
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from embedded.api import Api
from embedded.stack import Stack
from tests.people import PASSWORD

_numbers = itertools.count(1)
STATUS = "Failed to load resource: the server responded with a status of 4"  # which the page explains


@dataclass
class Site:
    """`api` is the administrator's. Every test makes its own accounts, under names that nobody else takes."""

    stack: Stack
    api: Api
    url: str
    services: dict[str, str] = field(default_factory=dict)  # secrets by key

    def prepare(self) -> Site:
        """The administrator can log in, and there are two services."""
        self.api.post("/users/admin", {"name": "Ada Lovelace"})
        self._choose_password()
        for key, name in (("ci", "Build server"), ("deploy", "Deployment")):
            self.services[key] = self.api.post("/services", {"key": key, "name": name})["secret"]
        return self

    def _choose_password(self) -> None:
        """As somebody who has just logged in with the first one."""
        first = self.stack.new_password()
        session = self.api.post("/login", {"login": "admin", "password": first})["token"]
        body = {"password": PASSWORD, "currentPassword": first}
        Api(self.stack.url, session).post("/users/me/password", body)

    def name(self, beginning: str) -> str:
        """A login or name that is new."""
        return f"{beginning}-{next(_numbers)}"

    def person(self, beginning: str = "jo") -> str:
        """The login of a new person who has a password."""
        login = self.name(beginning)
        self.api.post("/users", {"login": login, "name": f"Jo {login.title()}"})
        self.api.post(f"/users/{login}/password", {"password": PASSWORD})
        return login

    def bot(self, beginning: str = "robot", **more: Any) -> str:
        """The login of a new bot."""
        login = self.name(beginning)
        self.api.post("/users", {"login": login, "name": login.replace("-", " ").title(), "type": "bot", **more})
        return login

    def id_of(self, login: str) -> str:
        """An account's id."""
        id: str = self.api.get(f"/users/{login}?fields=id")["id"]
        return id

    def name_of(self, login: str) -> str:
        """What an account is called."""
        name: str = self.api.get(f"/users/{login}?fields=name")["name"]
        return name

    def token(self, login: str, name: str = "night", scope: tuple[str, ...] = ("ci",)) -> dict[str, Any]:
        """A new permanent token, with its secret."""
        wanted = [{"key": key} for key in scope]
        made: dict[str, Any] = self.api.post(f"/users/{login}/permanenttokens", {"name": name, "scope": wanted})
        return made

    def is_good(self, token: str, service: str = "ci") -> bool:
        """Whether a service accepts the token."""
        told = requests.post(
            f"{self.url}/api/rest/oauth2/introspect",
            data={"token": token},
            auth=(service, self.services[service]),
            timeout=10,
        ).json()
        active: bool = told["active"]
        return active

    def asks(self, service: str, secret: str) -> int:
        """The status by which a service is answered that asks by this secret."""
        asked = requests.post(
            f"{self.url}/api/rest/oauth2/introspect", data={"token": "x"}, auth=(service, secret), timeout=10
        )
        return asked.status_code

    def table(self) -> Any:
        """The table itself, for what no request can make: a thousand tokens, and old ones."""
        environment = self.stack.database.environment
        return boto3.resource(
            "dynamodb",
            endpoint_url=environment["KEYTURN_DYNAMODB_ENDPOINT"],
            region_name="us-east-1",
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        ).Table("keyturn")

    def item_of(self, token_id: str) -> dict[str, Any]:
        """A token as it is stored."""
        found = self.table().scan(
            ConsistentRead=True, FilterExpression="id = :id", ExpressionAttributeValues={":id": token_id}
        )
        (item,) = (each for each in found["Items"] if "argon2id" in each)
        return item

    def address(self, login: str, *tab: str) -> str:
        """The page of an account."""
        return "/".join([f"{self.url}/users/{self.id_of(login)}", *tab])


@dataclass
class Visitor:
    """One browser window, with its own cookies; what its console says is kept."""

    site: Site
    page: Page
    complaints: list[str]

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def see(self, path: str) -> Page:
        """Go to a page, by its path or whole address."""
        self.page.goto(path if path.startswith("http") else self.site.url + path)
        return self.page

    def log_in(self, login: str = "admin", password: str = PASSWORD) -> Page:
        """By the form."""
        self.see("/login")
        self.fill_in(login, password)
        return self.page

    def enter(self, login: str = "admin") -> Page:
        """Logged in without having seen a page, which costs less than `log_in`."""
        form = {"login": login, "password": PASSWORD}
        address = f"{self.site.url}/login"
        answer = self.context.request.post(address, form=form, headers={"Origin": self.site.url}, max_redirects=0)
        assert answer.status == 303, answer.text()
        return self.page

    def fill_in(self, login: str, password: str = PASSWORD) -> None:
        """Fill in the form that is shown, and send it."""
        self.page.get_by_label("Login", exact=True).fill(login)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.press("Log in")
        self.page.wait_for_load_state()

    def press(self, name: str) -> None:
        """A button or a link that looks like one."""
        wanted = re.compile(rf"^{re.escape(name)}\s?…?$")
        button = self.page.get_by_role("button", name=wanted).or_(self.page.get_by_role("link", name=wanted))
        button.first.click()

    def dialog(self, heading: str) -> Any:
        """The dialog that is open."""
        dialog = self.page.get_by_role("dialog", name=heading)
        expect(dialog).to_be_visible()
        return dialog

    def code(self, secret: str, later: int = 0) -> str:
        """What an authenticator app shows, some steps later than now."""
        return pyotp.TOTP(secret).at(int(time.time()) + 30 * later)


def open_window(site: Site, chromium: Browser, **options: Any) -> Visitor:
    """A new window; everything that its console complains of is kept."""
    context = chromium.new_context(**{"locale": "en-GB", "timezone_id": "Europe/Berlin", **options})
    page = context.new_page()
    complaints: list[str] = []

    def listen(said: ConsoleMessage) -> None:
        if said.type in ("warning", "error") and not said.text.startswith(STATUS):
            complaints.append(said.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return Visitor(site, page, complaints)
