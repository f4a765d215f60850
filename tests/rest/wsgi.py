"""The Lambda handler as a WSGI application, for tools that speak WSGI: what API Gateway does, in short."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tests.rest.calling import send

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """Answers like the handler; a path that matches no route gets API Gateway's 403."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name == "CONTENT_TYPE"
    }
    path = (environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")[0]
    query = environ.get("QUERY_STRING")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    try:
        answer = send(environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, headers, body)
    except LookupError:
        start_response("403 Forbidden", [("Content-Type", "application/json")])
        return [b'{"message": "Missing Authentication Token"}']
    start_response(f"{answer.status} Answer", list(answer.headers.items()))
    return [answer.text.encode()]
