"""One of everything that the pages show, so that every page has something to show."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyotp
import requests

from embedded.api import Api
from tests.authenticator import SoftwarePasskey
from tests.oauth.calling import Forms
from tests.pages.site import Site
from tests.people import PASSWORD

DEVICE = "/api/rest/oauth2/device"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"

Naming = Callable[[str], str]


@dataclass
class Furnished:
    """What was made: logins and ids. `session` is the person's, `totp` the secret of their app, `token` of the bot."""

    person: str
    bot: str
    service: str
    service_secret: str
    group: str
    role: str
    webhook: str
    session: str
    totp: str
    token: str
    trust_rule: str


def furnish(site: Site, naming: Naming = str, free_text: Naming = str) -> Furnished:
    """Make everything. `naming` and `free_text` turn plain words into what stands in names and descriptions."""
    api, tag = site.api, site.name("x")
    service = api.post(
        "/services",
        {
            "key": f"shop-{tag}",
            "name": naming(f"Web shop {tag}"),
            "homeUrl": "https://shop.example.com/?a=b&c=%22%3E",
            "redirectUris": ["https://shop.example.com/callback?x=1"],
            "grantTypes": ["authorization_code", "refresh_token", DEVICE_CODE],
            "permissions": [{"key": "read-orders", "name": naming("Read orders")}],
        },
    )
    permission = service["permissions"][0]["id"]
    role = api.post(
        "/roles", {"key": f"clerk-{tag}", "name": naming(f"Clerk {tag}"), "permissions": [{"id": permission}]}
    )
    outer = api.post("/usergroups", {"name": naming(f"Everybody {tag}")})
    group = api.post("/usergroups", {"name": naming(f"Shop team {tag}"), "parent": {"id": outer["id"]}})
    api.post(f"/services/{service['id']}", {"groups": [{"id": group["id"]}]})
    secret = api.post(f"/services/{service['id']}/secret", {"grace": "P7D"})["secret"]  # beside the first one
    for governed in (f"/services/{service['id']}", f"/usergroups/{group['id']}"):
        api.post(f"{governed}/policy", {"longestLifeDays": 300, "rotationDueDays": 200, "unusedDays": 100})
    grant = {"role": {"id": role["id"]}, "project": {"id": service["id"]}}
    api.post(f"/usergroups/{group['id']}/projectroles", grant)
    person = _person(site, f"jo-{tag}", naming, free_text)
    webhook = _webhook(site, naming)
    api.post(f"/usergroups/{group['id']}/users", {"login": person})
    api.post(f"/users/{person}/projectroles", grant)
    token = _bots(site, tag, person, service["id"], naming, free_text)
    trust_rule = api.post(f"/users/robot-{tag}/trustrules", _trust_rule(service["id"], naming))
    session, totp = _factors(site, person, naming)
    made = Furnished(
        person,
        f"robot-{tag}",
        service["key"],
        secret,
        group["id"],
        role["id"],
        webhook,
        session,
        totp,
        token,
        trust_rule["id"],
    )
    _approve(site, made)
    return made


def places(site: Site, made: Furnished) -> list[str]:
    """The pages that show what was made; all others can be got to from them."""
    tabs = [site.address(made.person, tab) for tab in ("security", "authentication", "access", "health", "history")]
    others = (
        f"roles/{made.role}",
        f"groups/{made.group}",
        f"services/{made.service}",
        f"webhooks/{made.webhook}",
        "users",
        "audit",
    )
    return [
        *tabs,
        site.address(made.bot, "security", "tokens", made.token),
        *(site.address(made.bot, "security", "trust-rules", *rest) for rest in (["new"], [made.trust_rule, "edit"])),
        *(f"{site.url}/{other}" for other in others),
    ]


def _trust_rule(service_id: str, naming: Naming) -> dict[str, Any]:
    return {
        "name": naming("shop, main"),
        "issuer": "https://token.actions.githubusercontent.com",
        "audience": "keyturn",
        "conditions": {"repository": ["acme/shop"], "ref": ["refs/heads/main"]},
        "scope": [{"id": service_id}],
    }


def _person(site: Site, login: str, naming: Naming, free_text: Naming) -> str:
    site.api.post(
        "/users", {"login": login, "name": naming("Jo Doe"), "profile": {"email": {"email": "jo@example.com"}}}
    )
    site.api.post(f"/users/{login}/password", {"password": PASSWORD})
    return login


def _webhook(site: Site, naming: Naming) -> str:
    """One with an earlier secret, that fails: nothing listens there."""
    said = {
        "name": site.name(naming("Operations")),
        "url": "https://localhost:1/hook?a=b&c=%22%3E",
        "kinds": ["permanent-token.leaked"],
    }
    made = site.api.post("/webhooks", said)
    site.api.post(f"/webhooks/{made['id']}/secret", {"grace": 86_400})
    return str(made["id"])


def _bots(site: Site, tag: str, owner: str, service_id: str, naming: Naming, free_text: Naming) -> str:
    api = site.api
    described = {"type": "bot", "description": free_text("Builds the shop every night."), "owner": {"login": owner}}
    for login in ("robot", "idle"):
        api.post("/users", {"login": f"{login}-{tag}", "name": naming(f"{login.title()} {tag}"), **described})
    scope = [{"key": "ci"}, {"key": "deploy"}, {"id": service_id}]
    for name in ("nightly build", "release", "backup"):
        said = {"description": free_text("Runs at night."), "contact": naming("Team build"), "labels": ["nightly"]}
        if name == "backup":  # which nobody uses
            said["networks"] = ["192.0.2.0/24"]
        made = api.post(f"/users/robot-{tag}/permanenttokens", {"name": naming(name), "scope": scope, **said})
        if name != "backup":
            assert site.is_good(made["token"])
    api.post(f"/users/idle-{tag}", {"banned": True, "banReason": naming("leaked")})
    leaver = site.person("leaver")
    api.post("/users", {"login": f"orphan-{tag}", "name": naming("Orphan"), "type": "bot", "owner": {"login": leaver}})
    api.call("DELETE", f"/users/{leaver}")
    return str(made["id"])


def _factors(site: Site, person: str, naming: Naming) -> tuple[str, str]:
    """A session, an authenticator app, a passkey and an application password of the person."""
    opened = requests.post(
        f"{site.url}/api/rest/login", json={"login": person, "password": PASSWORD}, timeout=30
    ).json()
    own = Api(site.url, opened["token"])
    totp: str = own.post(f"/users/{person}/twoFactorAuthentication", {})["secret"]
    own.post(f"/users/{person}/twoFactorAuthentication", {"code": pyotp.TOTP(totp).at(int(time.time()))})
    options = own.post(f"/users/{person}/passkeys", {})["publicKey"]
    credential = SoftwarePasskey(site.url).create(options)
    own.post(f"/users/{person}/passkeys", {"name": naming("phone"), "credential": credential})
    own.post(f"/users/{person}/applicationpasswords", {"name": naming("mail client")})
    return str(opened["token"]), totp


def start_device(site: Site, made: Furnished) -> dict[str, Any]:
    """The codes of a device of the service."""
    started: dict[str, Any] = requests.post(
        f"{site.url}/api/rest/oauth2/device_authorization",
        data={"scope": made.service},
        auth=(made.service, made.service_secret),
        timeout=30,
    ).json()
    return started


def _approve(site: Site, made: Furnished) -> None:
    """The person lets a device of the service act for them: a refresh token and an approved scope."""
    started = start_device(site, made)
    browser = requests.Session()
    browser.cookies.set("keyturn", made.session)
    page = browser.get(f"{site.url}{DEVICE}", params={"user_code": started["user_code"]}, timeout=30)
    fields = {**Forms(page.text).fields, "decision": "approve"}
    approved = browser.post(f"{site.url}{DEVICE}", data=fields, headers={"Origin": site.url}, timeout=30)
    assert "You can go back to your device." in approved.text, approved.text
    form = {"grant_type": DEVICE_CODE, "device_code": started["device_code"]}
    answer = requests.post(
        f"{site.url}/api/rest/oauth2/token", data=form, auth=(made.service, made.service_secret), timeout=30
    ).json()
    assert "refresh_token" in answer, answer
