"""The Lambda handler behind a web server: what API Gateway does for the one request that is measured."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from typing import Any

from app import app

PATH = "/api/rest/oauth2/introspect"
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
NOWHERE = open(os.devnull, "w")  # noqa: SIM115 - as long as we live


def application(
    environ: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], Any]
) -> Iterable[bytes]:
    """Answers `POST /api/rest/oauth2/introspect`."""
    event = {
        "requestContext": {
            "httpMethod": environ["REQUEST_METHOD"],
            "resourcePath": PATH,
            "path": PATH,
            "identity": {"sourceIp": environ["REMOTE_ADDR"]},
        },
        "headers": {"authorization": environ["HTTP_AUTHORIZATION"], "content-type": environ["CONTENT_TYPE"]},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode(),
        "isBase64Encoded": False,
    }
    with contextlib.redirect_stdout(NOWHERE):  # the line that each request prints
        answer = app(event, None)
    body = answer["body"].encode()
    length = ("Content-Length", str(len(body)))
    start_response(f"{answer['statusCode']} Answer", [*answer["headers"].items(), length])
    return [body]
