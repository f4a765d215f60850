"""`make run` ends by saying where the page is and how to log in; and that works."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from playwright.sync_api import Browser, expect

from embedded.processes import free_port
from tests.embedded.test_run import PATIENCE_SECONDS, start, until


def test_logging_in_with_what_was_printed_works(tmp_path: Path, chromium: Browser) -> None:
    for first in (True, False):
        running = start(tmp_path, free_port())
        output = until(running, "Log in as")
        address = re.search(r"The page: (http://localhost:\d+)\.", output)
        printed = re.search(r"Log in as admin with password (\S+), which is shown only now", output)
        assert address
        if first:
            assert printed
            password = printed[1]
        else:
            assert not printed
            assert "the password that was shown at first" in output
        page = chromium.new_page()
        page.goto(address[1])
        page.get_by_label("Login", exact=True).fill("admin")
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("link", name="Users").click()
        expect(page.get_by_role("link", name="Build bot", exact=True)).to_be_visible()
        page.close()
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=PATIENCE_SECONDS)
        assert running.returncode == 0
