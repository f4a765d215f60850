"""The pages: what people see of Keyturn in a browser. They ask the core, and decide nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from chalicelib.pages.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Chalice, Response


def register(app: Chalice) -> None:
    """Add every page to the app."""
    for path, views in ROUTES.items():
        for method, view in views.items():
            name = f"page_{view.replace('.', '_')}_{method}"
            app.route(path, methods=[method], name=name, content_types=[])(_lazy(app, view))


def _lazy(app: Chalice, view: str) -> Callable[..., Response]:
    """The view, imported when it is first called: templates must cost the other requests nothing."""
    module, function = view.split(".")

    def answer(**path: str) -> Response:
        call_view = getattr(import_module(f"chalicelib.pages.{module}"), function)
        response: Response = call_view(app.current_request, **path)
        return response

    return answer
