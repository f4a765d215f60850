"""Calls the Lambda handler as API Gateway would."""

from __future__ import annotations

import base64
import functools
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode

import jsonschema_rs

from app import app
from chalicelib.rest.openapi import description
from chalicelib.rest.routes import ROUTES

REST = "/api/rest"


@dataclass(frozen=True)
class Answer:
    """A response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def send(method: str, path: str, headers: dict[str, str] | None = None, body: str | bytes | None = None) -> Answer:
    """One request to the handler. A path that matches no route never gets as far as Lambda."""
    plain, _, query = path.partition("?")
    route, parameters = _match(plain)
    encoded = isinstance(body, bytes)
    event = {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": route,
            "path": plain,
            "identity": {"sourceIp": "192.0.2.7"},
        },
        "headers": headers or {},
        "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": encoded,
    }
    response = app(event, None)
    headers_out = {name.lower(): value for name, value in response["headers"].items()}
    answer = Answer(response["statusCode"], headers_out, response["body"])
    keeps_its_description(route, method, answer)
    return answer


def keeps_its_description(route: str, method: str, answer: Answer) -> None:
    """Every answer that any test gets must be as the OpenAPI document says."""
    described = description()["paths"][route].get(method.lower())
    if method == "OPTIONS":  # of every path, and described of none (RFC 9110 section 9.3.7)
        documented = {each.upper() for each in description()["paths"][route]}
        assert answer.status == 204
        assert set(answer.headers["allow"].split(", ")) >= documented
    elif described is None:
        assert answer.status == 405
    elif answer.headers["content-type"].startswith("text/html"):
        assert "text/html" in described["responses"][str(answer.status)]["content"]
    elif answer.status != 500:  # a defect, which is none of the description's
        _validator(route, method.lower(), str(answer.status)).validate(answer.json)


@functools.cache
def _validator(route: str, method: str, status: str) -> jsonschema_rs.Validator:
    responses = description()["paths"][route][method]["responses"]
    assert status in responses, f"{method} {route} may answer {status}, which is not described"
    response = responses[status]
    if "$ref" in response:
        response = description()["components"]["responses"][status]
    schema = response["content"]["application/json"]["schema"]
    return jsonschema_rs.validator_for({**schema, "components": description()["components"]})


def _match(path: str) -> tuple[str, dict[str, str]]:
    for route in ROUTES:
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route), path)
        if found:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    raise LookupError(path)


class Client:
    """A caller with a token or a session, or with another value of the header."""

    def __init__(self, token: str = "", authorization: str | None = None) -> None:
        self._headers = {"authorization": authorization or f"Bearer {token}"}

    def get(self, path: str, **query: object) -> Answer:
        return send("GET", _with_query(REST + path, query), self._headers)

    def post(self, path: str, body: object, **query: object) -> Answer:
        headers = {**self._headers, "content-type": "application/json"}
        return send("POST", _with_query(REST + path, query), headers, json.dumps(body))

    def delete(self, path: str) -> Answer:
        return send("DELETE", REST + path, self._headers)


def post(path: str, body: object) -> Answer:
    """A request of somebody who is not logged in."""
    return send("POST", REST + path, {"content-type": "application/json"}, json.dumps(body))


def basic(client: str, secret: str) -> str:
    """The value of the header for HTTP Basic (RFC 6749 section 2.3.1)."""
    return "Basic " + base64.b64encode(f"{quote(client)}:{quote(secret)}".encode()).decode()


def introspect(client: str, secret: str, token: str) -> Answer:
    headers = {"authorization": basic(client, secret), "content-type": "application/x-www-form-urlencoded"}
    return send("POST", f"{REST}/oauth2/introspect", headers, urlencode({"token": token}))


def _with_query(path: str, query: dict[str, object]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
