"""Registers tables of routes with Chalice. A table names each view as `module.function`, below a package.

A view is imported when it is first called, so that a cold start loads what its first request needs and nothing else:
Authlib and Jinja2 cost the other requests nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalice.app import Chalice, Response


def register(app: Chalice, routes: Mapping[str, Mapping[str, str]], package: str) -> None:
    """Add every route of a table to the app; its views are below `package`, such as `chalicelib.rest`."""
    for path, views in routes.items():
        for method, name in views.items():
            # Media types are checked by the views, which refuse in our own form.
            add = app.route(
                path, methods=[method], name=f"{package}_{name}_{method}".replace(".", "_"), content_types=[]
            )
            add(_lazy(app, package, name))


def load(package: str, name: str) -> Callable[..., Response]:
    """The view that a table names."""
    module, _, function = name.rpartition(".")
    found: Callable[..., Response] = getattr(import_module(f"{package}.{module}"), function)
    return found


def _lazy(app: Chalice, package: str, name: str) -> Callable[..., Response]:
    def answer(**path_parameters: str) -> Response:
        return load(package, name)(app.current_request, **path_parameters)

    return answer
