"""One running Keyturn for all tests of a worker; a new window for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import NewStack
from tests.pages.site import Site, Visitor, open_window

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def site(new_stack: NewStack) -> Iterator[Site]:
    """A real server over HTTP."""
    with new_stack("stack") as stack:
        yield Site(stack, stack.administrator(), stack.page).prepare()


@pytest.fixture
def visitor(site: Site, chromium: Browser) -> Iterator[Visitor]:
    """Somebody with a window, in which nobody is logged in; and nothing may be amiss when they leave."""
    visitor = open_window(site, chromium)
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    yield visitor
    visitor.context.close()
    assert visitor.complaints == []
