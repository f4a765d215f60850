"""One running Keyturn and one Chromium for all tests of a process; a new window for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from embedded.stack import Stack
from tests.pages.chromium import FLAGS, executable
from tests.pages.site import Site, Visitor, open_window

expect.set_options(timeout=10_000)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A real server over HTTP."""
    with Stack(tmp_path_factory.mktemp("stack")) as stack:
        yield Site(stack, stack.administrator(), stack.page).prepare()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser without a screen."""
    program = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visitor(site: Site, chromium: Browser) -> Iterator[Visitor]:
    """Somebody with a window, in which nobody is logged in; and nothing may be amiss when they leave."""
    visitor = open_window(site, chromium)
    visitor.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.url)
    yield visitor
    visitor.context.close()
    assert visitor.complaints == []
