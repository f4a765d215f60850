"""Calls the OAuth 2.0 endpoints of the Lambda handler as API Gateway would, and a browser as a user has it."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from app import app
from chalicelib.oauth.routes import AUTHORIZATION, TOKEN
from tests.conftest import ADDRESS
from tests.rest.calling import Answer, basic

FORM = "application/x-www-form-urlencoded"


def call(
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    form: dict[str, Any] | str | None = None,
    route: tuple[str, dict[str, str]] | None = None,
) -> Answer:
    """One request. `form` as a text is sent as it is; `route` is what API Gateway makes of a path with parameters."""
    plain, _, query = path.partition("?")
    body = None
    if form is not None:
        body = form if isinstance(form, str) else urlencode(form, doseq=True)
        headers = {"content-type": FORM, **(headers or {})}
    event = {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": route[0] if route else plain,
            "path": plain,
            "identity": {"sourceIp": "192.0.2.7"},
        },
        "headers": headers or {},
        "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
        "pathParameters": route[1] if route else None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
    }
    response = app(event, None)
    headers_out = {name.lower(): value for name, value in response["headers"].items()}
    return Answer(response["statusCode"], headers_out, response["body"])


def token_request(client: tuple[str, str] | None, **form: Any) -> Answer:
    """A request to the token endpoint, of a client that authenticates by HTTP Basic."""
    headers = {"authorization": basic(*client)} if client else {}
    return call("POST", TOKEN, headers, form)


@dataclass
class Pkce:
    """A verifier, and the challenge for it (RFC 7636)."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class Forms(HTMLParser):
    """The form that a page is about, its last: where it goes, and the values of its fields."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "form":
            self.action, self.fields = values.get("action") or "", {}
        if tag == "input" and values.get("name"):
            self.fields[str(values["name"])] = values.get("value") or ""


@dataclass
class Browser:
    """Keeps a cookie, follows what stays on our pages, and fills in forms."""

    cookie: str = ""

    def get(self, path: str) -> Answer:
        return self._follow(call("GET", path, self._headers()))

    def submit(self, page: Answer, **values: str) -> Answer:
        """Send the page's form with these values."""
        form = Forms(page.text)
        headers = {**self._headers(), "origin": ADDRESS}
        return self._follow(call("POST", form.action.removeprefix(ADDRESS), headers, {**form.fields, **values}))

    def log_in(self, page: Answer, login: str, password: str, **more: str) -> Answer:
        return self.submit(page, login=login, password=password, **more)

    def _headers(self) -> dict[str, str]:
        return {"cookie": self.cookie} if self.cookie else {}

    def _follow(self, answer: Answer) -> Answer:
        if "set-cookie" in answer.headers:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        location = answer.headers.get("location", "")
        return self.get(location.removeprefix(ADDRESS)) if location.startswith(ADDRESS) else answer


def authorization_path(**parameters: Any) -> str:
    """The address of an authorization request."""
    return f"{AUTHORIZATION}?{urlencode(parameters, doseq=True)}"


def sent_back(answer: Answer) -> dict[str, str]:
    """The parameters with which the browser was sent back to the service."""
    assert answer.status == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says, unverified."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims
