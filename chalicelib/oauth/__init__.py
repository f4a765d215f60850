"""The OAuth 2.0 layer: Authlib speaks the protocols, the core decides, pages ask the user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.oauth.routes import ROUTES
from chalicelib.web import routing

if TYPE_CHECKING:
    from chalice.app import Chalice


def register(app: Chalice) -> None:
    """Add every endpoint to the app."""
    routing.register(app, ROUTES, "chalicelib")
