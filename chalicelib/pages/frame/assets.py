"""Style, scripts and pictures, under names that change with their content, and so can be kept for ever."""

from __future__ import annotations

import functools
import hashlib
from http import HTTPStatus
from pathlib import Path

from chalice.app import Request, Response
from markupsafe import Markup

FOLDER = Path(__file__).parents[1] / "assets"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@functools.cache
def path_of(name: str) -> str:
    """The name under which this file is served, below `/assets/`."""
    return _served_as(name, (FOLDER / name).read_bytes())


@functools.cache
def icon(name: str) -> Markup:
    """A picture that stands in the page itself, and so takes the colour of its text."""
    return Markup((FOLDER / "icons" / f"{name}.svg").read_text().strip())  # noqa: S704 - a file of ours


def serve(request: Request, name: str) -> Response:
    """The file, for as long as a browser likes to keep it."""
    found = _all().get(name)
    if found is None:
        return Response("There is no such file.", {"Content-Type": "text/plain"}, HTTPStatus.NOT_FOUND)
    kind, text = found
    headers: dict[str, str | list[str]] = {
        "Content-Type": f"{kind}; charset=utf-8",
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",  # a picture opened by itself
    }
    return Response(text, headers, HTTPStatus.OK)


@functools.cache
def _all() -> dict[str, tuple[str, str]]:
    """Type and text of each file, by the name under which it is served."""
    files = [path for path in FOLDER.iterdir() if path.suffix in TYPES]
    return {
        _served_as(path.name, path.read_bytes()): (TYPES[path.suffix], path.read_text(encoding="utf-8"))
        for path in files
    }


def _served_as(name: str, content: bytes) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:16]}.{ending}"
