"""`/reference`: the API described for people, from the same document as `/openapi.json`."""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chalice.app import Response

from chalicelib.rest.openapi import description
from chalicelib.rest.routes import ROOT
from chalicelib.web.errors import SECURITY_HEADERS

if TYPE_CHECKING:
    from chalice.app import Request

FOLDER = Path(__file__).parent / "reference_page"


def get_reference(request: Request) -> Response:
    html, policy = page()
    headers: dict[str, str | list[str]] = {
        **SECURITY_HEADERS,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
    }
    return Response(body=html, status_code=200, headers=headers)


@functools.cache
def page() -> tuple[str, str]:
    """The page, and the policy that lets a browser apply its own style and load nothing at all."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    style = (FOLDER / "style.css").read_text()
    html = environment.get_template("page.html").render(
        style=style, document=description(), chapters=_chapters(), name_of=_name_of
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return html, f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; frame-ancestors 'none'"


def _chapters() -> dict[str, list[dict[str, Any]]]:
    """All operations, under the resource with which their paths begin."""
    chapters: dict[str, list[dict[str, Any]]] = {}
    for path, methods in description()["paths"].items():
        resource = path.removeprefix(ROOT).split("/")[1]
        for method, operation in methods.items():
            bodies = operation.get("requestBody", {"content": {}})["content"].values()
            schema = next((body["schema"] for body in bodies), None)
            done = next(iter(operation["responses"]["200"]["content"].values()))["schema"]
            chapters.setdefault(resource, []).append(
                {**operation, "method": method.upper(), "path": path, "body": _resolved(schema), "answer": done}
            )
    return chapters


def _resolved(schema: dict[str, Any] | None) -> dict[str, Any] | None:
    if schema is None or "$ref" not in schema:
        return schema
    found: dict[str, Any] = description()["components"]["schemas"][_name_of(schema["$ref"])]
    return found


def _name_of(reference: str) -> str:
    return reference.rpartition("/")[2]
