"""A running server with people and services, and a browser that speaks HTTP to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests

from chalicelib.core.directory.grant_types import GrantType
from embedded.stack import Stack
from tests.oauth.calling import Forms
from tests.oauth.issuer import Issuer
from tests.people import PASSWORD

CALLBACK = "http://localhost:1/callback"  # nobody listens there: the browser is stopped before
BOT_TOKEN = "exchanged"


@dataclass
class Running:
    """`outside` is the issuer that the bot trusts; `secrets` and `ids` are the services' by key; `bot_token` is a
    permanent token for api and web."""

    stack: Stack
    issuer: str
    outside: Issuer
    secrets: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    bot_token: str = ""
    bot_id: str = ""

    def prepare(self) -> Running:
        """Make the services and the accounts."""
        api = self.stack.administrator()
        every_way = [each.value for each in GrantType]
        group = api.post("/usergroups", {"name": "Readers"})["id"]
        for key, more in {
            "web": {"redirectUris": [CALLBACK], "grantTypes": every_way},
            "program": {"redirectUris": ["http://127.0.0.1/callback"], "grantTypes": every_way, "public": True},
            "api": {"groups": [{"id": group}]},
        }.items():
            made = api.post("/services", {"key": key, "name": key.title(), **more})
            self.secrets[key], self.ids[key] = made["secret"], made["id"]
        api.post("/users", {"login": "jo", "name": "Jo Doe"})
        api.post("/users/jo/password", {"password": PASSWORD})
        api.post(f"/usergroups/{group}/users", {"login": "jo"})
        self.bot_id = api.post("/users", {"login": "robot", "name": "Robot", "type": "bot"})["id"]
        scope = [{"key": "api"}, {"key": "web"}]
        self.bot_token = api.post("/users/robot/permanenttokens", {"name": BOT_TOKEN, "scope": scope})["token"]
        trusts = {"issuer": self.outside.url, "audience": "keyturn", "conditions": {"repository": ["acme/shop"]}}
        api.post("/users/robot/trustrules", {"name": "shop", "scope": scope, **trusts})
        return self

    def browse(self, url: str, decision: str = "approve") -> str:
        """Where a person who logs in, and decides so, ends up: the address with which the service is called back."""
        browser = requests.Session()
        answer = browser.get(url, allow_redirects=False)
        for _ in range(10):
            location = answer.headers.get("location")
            if location and not location.startswith(self.issuer):
                return location
            if location:
                answer = browser.get(location, allow_redirects=False)
                continue
            form = Forms(answer.text)
            if "login" in form.fields:
                answer = self._submit(browser, url, form, {"login": "jo", "password": PASSWORD})
            elif "asked" in form.fields:
                answer = self._submit(browser, url, form, {"decision": decision})
            else:
                return answer.text
        raise AssertionError("the browser goes round in circles")

    def _submit(self, browser: requests.Session, url: str, form: Forms, values: dict[str, str]) -> requests.Response:
        return browser.post(
            urljoin(url, form.action),
            data={**form.fields, **values},
            headers={"Origin": self.issuer},
            allow_redirects=False,
        )

    def introspect(self, token: str, service: str = "api") -> dict[str, Any]:
        """What a service is told of a token."""
        introspected: dict[str, Any] = requests.post(
            f"{self.issuer}/api/rest/oauth2/introspect",
            data={"token": token},
            auth=(service, self.secrets[service]),
            timeout=10,
        ).json()
        return introspected
