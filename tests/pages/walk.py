"""A walk over all pages: from link to link, each kind of page once."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page

from chalicelib.pages.routes import ROUTES
from tests.pages.site import Site

# These have no links to them that a walk would follow, or are not pages.
APART = {"/", "/assets/{name}", "/login", "/logout"}
PAGES = sorted(path for path, views in ROUTES.items() if "GET" in views and path not in APART)


def pages_from(page: Page, site: Site, *beginnings: str) -> Iterator[str]:
    """Opens one page of each kind, the beginnings first, and says of which kind it is."""
    seen: set[str] = set()
    waiting = deque(beginnings)
    while waiting:
        address = waiting.popleft()
        kind = kind_of(urlsplit(address).path)
        if kind is None or kind in seen or not address.startswith(site.url):
            continue
        seen.add(kind)
        answer = page.goto(address)
        assert answer
        assert answer.status == 200, (address, page.inner_text("body")[-500:])
        yield kind
        waiting += [
            urljoin(site.url, link)
            for link in page.eval_on_selector_all(
                "a[href]", "links => links.map(link => link.href.baseVal ?? link.href)"
            )
        ]


def kind_of(path: str) -> str | None:
    """The route of a page; None if this is none."""
    for route in PAGES:
        if re.fullmatch(re.sub(r"\{[a-z]+\}", "[^/]+", route), path) and not _is_fixed(path, route):
            return route
    return None


def _is_fixed(path: str, route: str) -> bool:
    """`/users/new` also looks like `/users/{user}`."""
    return "{" in route and path in PAGES
