"""The two fronts of Keyturn as one kind of function: the Lambda handler behind API Gateway, and the server's
application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from app import app
from chalicelib.routes import MIDDLEWARE, TABLE
from chalicelib.web.application import Application, HttpRequest
from tests.rest.calling import Answer

Front = Callable[..., Answer]
APPLICATION = Application(TABLE, MIDDLEWARE)
ADDRESS = "192.0.2.7"


def through_lambda(method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> Answer:
    """As API Gateway would ask, if it let everything through."""
    plain, _, query = path.partition("?")
    route, parameters = TABLE.find(plain) or ("/{proxy+}", {})
    event: dict[str, Any] = {
        "requestContext": {
            "httpMethod": method,
            "resourcePath": route,
            "path": plain,
            "identity": {"sourceIp": ADDRESS},
        },
        "headers": headers or {},
        "multiValueQueryStringParameters": parse_qs(query, keep_blank_values=True) or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "body": body,
        "isBase64Encoded": False,
    }
    response = app(event, None)
    return Answer(response["statusCode"], _lower(response["headers"].items()), response["body"])


def through_the_application(method: str, path: str, headers: Mapping[str, str] | None = None, body: str = "") -> Answer:
    """As the server asks."""
    plain, _, query = path.partition("?")
    answer = APPLICATION.answer(HttpRequest(method, plain, query, headers or {}, body.encode(), ADDRESS, "request-1"))
    return Answer(answer.status, _lower(answer.headers), answer.body.decode())


FRONTS = {"Lambda": through_lambda, "application": through_the_application}


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
