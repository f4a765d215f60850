"""One table of routes, whoever serves it: Chalice on Lambda, or the server. A view is named as `module.function`, below
a package.

A view is imported when it is first called, so that a cold start loads what its first request needs and nothing else:
Authlib and Jinja2 cost the other requests nothing.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chalice.app import Chalice, Response

    Routes = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class View:
    """Where a view is; its name is `module.function`, below the package."""

    package: str
    name: str

    def load(self) -> Callable[..., Response]:
        """The function."""
        return load(self.package, self.name)


@dataclass(slots=True)
class _Node:
    """A place in the tree of paths: what may follow by name, what may follow as a parameter, and the route that ends
    here."""

    named: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    route: str | None = None


class RouteTable:
    """Every route: for each path, which may have parameters in braces, its methods and their views.

    `tables`: each with the package that its views are in.
    """

    def __init__(self, *tables: tuple[Routes, str]) -> None:
        self.views: dict[str, dict[str, View]] = {}
        for routes, package in tables:
            for path, views in routes.items():
                found = self.views.setdefault(path, {})
                found |= {method: View(package, name) for method, name in views.items()}

    def find(self, path: str) -> tuple[str, dict[str, str]] | None:
        """The route of a path, with the values of its parameters as they stand there; None if there is none.

        Like API Gateway, a name goes before a parameter, and a slash at the end says nothing.
        """
        segments = path.removesuffix("/").split("/")
        route = _route(self._tree, segments, 0)
        if route is None:
            return None
        pairs = zip(route.removesuffix("/").split("/"), segments, strict=True)
        return route, {name[1:-1]: value for name, value in pairs if name.startswith("{")}

    @functools.cached_property
    def _tree(self) -> _Node:
        root = _Node()
        for path in self.views:
            node = root
            for segment in path.removesuffix("/").split("/"):
                if segment.startswith("{"):
                    node.parameter = node.parameter or _Node()
                    node = node.parameter
                else:
                    node = node.named.setdefault(segment, _Node())
            node.route = path
        return root


def _route(node: _Node, segments: Sequence[str], index: int) -> str | None:
    if index == len(segments):
        return node.route
    segment = segments[index]
    found = _route(node.named[segment], segments, index + 1) if segment in node.named else None
    if found is None and node.parameter and segment:
        found = _route(node.parameter, segments, index + 1)
    return found


def register(app: Chalice, table: RouteTable) -> None:
    """Add every route to a Chalice app."""
    for path, views in table.views.items():
        for method, view in views.items():
            name = f"{view.package}_{view.name}_{method}".replace(".", "_")
            # Media types are checked by the views, which refuse in our own form.
            app.route(path, methods=[method], name=name, content_types=[])(_lazy(app, view))


def load(package: str, name: str) -> Callable[..., Response]:
    """The view that a table names."""
    module, _, function = name.rpartition(".")
    found: Callable[..., Response] = getattr(import_module(f"{package}.{module}"), function)
    return found


def _lazy(app: Chalice, view: View) -> Callable[..., Response]:
    def answer(**path_parameters: str) -> Response:
        return view.load()(app.current_request, **path_parameters)

    return answer
