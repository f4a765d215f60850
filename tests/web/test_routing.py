"""The table of routes: what is found for a path, and that the table has what the layers' tables have."""

from __future__ import annotations

import re

import pytest

from chalicelib.oauth.routes import ROUTES as OAUTH
from chalicelib.pages.routes import ROUTES as PAGES
from chalicelib.rest.routes import ROUTES as REST
from chalicelib.routes import TABLE
from chalicelib.web.routing import RouteTable

SMALL = RouteTable(
    (
        {
            "/": {"GET": "a.home"},
            "/users/new": {"GET": "a.new"},
            "/users/{user}": {"GET": "a.user", "POST": "a.change"},
            "/users/{user}/tokens": {"GET": "a.tokens"},
            "/users/me/sessions": {"GET": "a.sessions"},
        },
        "package",
    )
)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/", ("/", {})),
        ("/users/new", ("/users/new", {})),
        ("/users/newer", ("/users/{user}", {"user": "newer"})),
        ("/users/new/tokens", ("/users/{user}/tokens", {"user": "new"})),
        ("/users/me/tokens", ("/users/{user}/tokens", {"user": "me"})),
        ("/users/me/sessions", ("/users/me/sessions", {})),
        ("/users/a%2Fb", ("/users/{user}", {"user": "a%2Fb"})),
        ("/users/jo/", ("/users/{user}", {"user": "jo"})),
        ("/users", None),
        ("/users/", None),
        ("/users//tokens", None),
        ("/users/{user}/roles", None),
        ("//users/new", None),
        ("users/new", None),
        ("*", None),
        ("", ("/", {})),
    ],
)
def test_a_name_goes_before_a_parameter(path: str, found: tuple[str, dict[str, str]] | None) -> None:
    assert SMALL.find(path) == found


def test_the_table_has_every_route_of_every_layer_once() -> None:
    assert len(TABLE.views) == len(REST) + len(OAUTH) + len(PAGES)
    for routes in (REST, OAUTH, PAGES):
        for path, views in routes.items():
            assert {method: view.name for method, view in TABLE.views[path].items()} == views


@pytest.mark.parametrize("route", sorted(TABLE.views))
def test_every_route_is_found_with_its_parameters(route: str) -> None:
    names = re.findall(r"\{(\w+)\}", route)
    values = {name: f"value-of-{name}" for name in names}
    assert TABLE.find(route.format(**values)) == (route, values)


@pytest.mark.parametrize("route", sorted(TABLE.views))
def test_every_view_is_there(route: str) -> None:
    for view in TABLE.views[route].values():
        assert callable(view.load())
