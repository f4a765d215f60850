"""How fast the page *Account Security* is with 1,000 tokens on the account, by the browser's own clock.

    python -m benchmarks.pages

In a real Chromium, against the local server: first byte, first paint, largest paint, everything loaded, and what was
sent; with an empty cache, and again. The login page, which asks no database, is beside it. Medians.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright
from rich.console import Console
from rich.progress import track
from rich.table import Table

from embedded.api import Api
from embedded.stack import Stack
from tests.pages.chromium import FLAGS, executable

TOKENS = 1_000
LOADS = 30
PASSWORD = "correct horse battery staple"
FIGURES = """
  () => new Promise(done => new PerformanceObserver(list => {
    const [page] = performance.getEntriesByType("navigation");
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const files = performance.getEntriesByType("resource");
    const shifts = performance.getEntriesByType("layout-shift").reduce((sum, each) => sum + each.value, 0);
    done({
      "first byte": page.responseStart - page.requestStart,
      "first paint": paint.startTime,
      "largest paint": list.getEntries().at(-1).startTime,
      "loaded": page.loadEventEnd,
      "page": page.transferSize,
      "files": files.reduce((sum, each) => sum + each.transferSize, 0),
      "requests": 1 + files.length,
      "elements": document.querySelectorAll("*").length,
      "layout shift": shifts,
    });
  }).observe({type: "largest-contentful-paint", buffered: true}))
"""
UNITS = {"page": "KB", "files": "KB", "requests": "", "elements": "", "layout shift": ""}


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack, sync_playwright() as playwright:
        account = _fill(stack.administrator())
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        security = f"{stack.page}/users/{account}/security"
        cases = {
            "page 1, empty cache": (security, False),
            "page 1": (security, True),
            "page 20": (f"{security}?page=20", True),
            "a search": (f"{security}?q=token-07", True),
            "token health": (f"{stack.page}/users/{account}/health", True),
            "login page": (f"{stack.page}/login", True),
        }
        measured = {name: _loads(browser, stack.page, *case) for name, case in track(cases.items(), "Loading")}
        browser.close()
    Console(width=140).print(_table(measured))


def _fill(api: Api) -> str:
    """The id of a bot with so many tokens."""
    api.post("/users", {"login": "reader", "name": "Reader"})
    api.post("/users/reader/password", {"password": PASSWORD})
    api.post("/users/reader/roles", {"role": {"key": "system-admin"}})
    api.post("/services", {"key": "ci", "name": "Build server"})
    bot: str = api.post("/users", {"login": "busy-bot", "name": "Busy bot", "type": "bot"})["id"]
    for number in track(range(TOKENS), f"Making {TOKENS} tokens"):
        api.post(f"/users/{bot}/permanenttokens", {"name": f"token-{number:04}", "scope": [{"key": "ci"}]})
    return bot


def _loads(browser: Browser, site: str, address: str, cached: bool) -> list[dict[str, float]]:
    figures = []
    page = _logged_in(browser, site)
    if cached:
        page.goto(address)
    for _ in range(LOADS):
        if not cached:
            page.context.close()
            page = _logged_in(browser, site)
        page.goto(address)
        figures.append(page.evaluate(FIGURES))
    page.context.close()
    return figures


def _logged_in(browser: Browser, site: str) -> Page:
    """A new window with a session, which has seen no file of the pages yet."""
    page = browser.new_context().new_page()
    opened = page.request.post(f"{site}/api/rest/login", data={"login": "reader", "password": PASSWORD}).json()
    page.context.add_cookies([{"name": "keyturn", "value": opened["token"], "url": site}])
    return page


def _table(measured: dict[str, list[dict[str, float]]]) -> Table:
    names = list(next(iter(measured.values()))[0])
    table = Table("load", *names)
    for name, figures in measured.items():
        table.add_row(name, *(_shown(each, [figure[each] for figure in figures]) for each in names))
    return table


def _shown(name: str, values: Iterable[Any]) -> str:
    median = statistics.median(values)
    if UNITS.get(name) == "KB":
        return f"{median / 1024:.1f} KB"
    if name in UNITS:
        return f"{median:.3g}" if name == "layout shift" else f"{median:.0f}"
    return f"{median:.0f} ms"


if __name__ == "__main__":
    main()
