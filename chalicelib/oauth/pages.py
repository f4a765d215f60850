"""The pages that ask the user: plain for now, and strict about what a browser may do with them."""

from __future__ import annotations

import base64
import functools
import hashlib
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from chalice.app import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chalicelib.rest.refusals import SECURITY_HEADERS

FOLDER = Path(__file__).parent / "templates"

if TYPE_CHECKING:
    from collections.abc import Mapping


def page(
    name: str,
    values: Mapping[str, object],
    status: int = HTTPStatus.OK,
    leads_to: str | None = None,
) -> Response:
    """The page `name`. `leads_to`: where a form on it may end up, since browsers watch over redirects too."""
    style, digest = _style()
    html = _environment().get_template(f"{name}.html").render(style=style, **values)
    targets = " ".join(("'self'", *([_origin(leads_to)] if leads_to else [])))
    sources = f"default-src 'none'; style-src 'sha256-{digest}'; form-action {targets}"
    policy = f"{sources}; base-uri 'none'; frame-ancestors 'none'"
    headers: dict[str, str | list[str]] = {
        **SECURITY_HEADERS,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        # The address holds what a service asks for; but a form has to show where it comes from.
        "Referrer-Policy": "same-origin",
    }
    return Response(html, headers, int(status))


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    if ":" in (parts.hostname or ""):  # a policy cannot name an IPv6 address
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"


@functools.cache
def _style() -> tuple[str, str]:
    style = (FOLDER / "style.css").read_text()
    return style, base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


@functools.cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
