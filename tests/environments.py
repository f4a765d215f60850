"""Everything that tests need besides the pinned packages, made before they begin: `python -m tests.environments`.

What is there already costs nothing. Tests would make what is missing by themselves, while others wait for it.
"""

from __future__ import annotations

from pathlib import Path

from embedded.fetch import ensure_dynamodb_local
from tests import node, programs
from tests.collection import environments
from tests.pages import chromium

TESTS = Path(__file__).parent


def main() -> None:
    """Make what is missing, and say what there is."""
    ensure_dynamodb_local()
    print(f"Chromium: {chromium.prepared() or 'of Playwright'}", flush=True)
    print(f"MiniStack: {programs.installed(TESTS / 'aws' / 'ministack.txt')}", flush=True)
    for folder in ("pages/javascript", "oauth/javascript"):
        print(f"JavaScript of {folder}: {node.installed(TESTS / folder)}", flush=True)
    environments.main()


if __name__ == "__main__":
    main()
