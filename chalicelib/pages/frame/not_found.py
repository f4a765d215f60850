"""The page for who mistyped an address."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from chalicelib.pages.frame.render import plain_page
from chalicelib.web.middleware import NOTHING_THERE

if TYPE_CHECKING:
    from chalice.app import Request, Response


def show(request: Request) -> Response:
    return plain_page("Request failed", NOTHING_THERE, HTTPStatus.NOT_FOUND)
