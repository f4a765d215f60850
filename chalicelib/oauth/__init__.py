"""The OAuth 2.0 face: Authlib speaks the protocols, the core decides, pages ask the user."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from chalicelib.oauth.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Chalice, Response


def register(app: Chalice) -> None:
    """Add every endpoint to the app."""
    for path, views in ROUTES.items():
        for method, view in views.items():
            app.route(path, methods=[method], name=f"oauth_{view.replace('.', '_')}_{method}", content_types=[])(
                _lazy(app, view)
            )


def _lazy(app: Chalice, view: str) -> Callable[..., Response]:
    """The view, imported when it is first called: Authlib must cost the other requests nothing."""
    module, function = view.split(".")

    def answer() -> Response:
        response: Response = getattr(import_module(f"chalicelib.oauth.{module}"), function)(app.current_request)
        return response

    return answer
