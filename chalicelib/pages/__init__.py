"""The pages: what people see of Keyturn in a browser. They ask the core, and decide nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.pages.routes import ROUTES
from chalicelib.web import routing

if TYPE_CHECKING:
    from chalice.app import Chalice


def register(app: Chalice) -> None:
    """Add every page to the app."""
    routing.register(app, ROUTES, __name__)
