"""Whoever is refused reads a rule in words, never a regular expression."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib.core.common.errors import Invalid
from chalicelib.rest.contract import bodies
from chalicelib.rest.contract.bodies import decode
from chalicelib.rest.tokens.token_bodies import Rotation
from chalicelib.rest.webhooks.webhook_bodies import NewWebhook


@pytest.mark.parametrize(
    ("body", "kind", "rule"),
    [
        (b'{"grace": 0, "secret": "x"}', Rotation, "secret: must have exactly 43 characters of A-Z, a-z and 0-9"),
        (b'{"name": "n", "url": "ftp://x"}', NewWebhook, "url: must be an http or https address in ASCII"),
    ],
)
def test_a_text_of_another_form(body: bytes, kind: Any, rule: str) -> None:
    with pytest.raises(Invalid, match=rule) as refused:
        decode(body, kind)
    assert "regex" not in str(refused.value)


def test_every_form_is_said_in_words() -> None:
    """A pattern that is not made by `formed` would be answered with no rule at all."""
    for source in Path(bodies.__file__).parent.glob("*bodies.py"):
        assert source.read_text().count("pattern=") == (source.name == "bodies.py"), source.name
