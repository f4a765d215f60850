"""What the command line checks by itself is what the server would refuse: the rules that it has copies of."""

from __future__ import annotations

import click
import pytest
from keyturn_cli import checks, token_format, tokens, webhooks

from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid
from chalicelib.core.directory import service
from chalicelib.core.secrets import client_supplied, previous_secrets
from chalicelib.core.tokens import token
from chalicelib.core.tokens.event import EventKind
from chalicelib.core.webhooks import webhook as core_webhooks


def test_bounds_are_the_servers() -> None:
    assert checks.LONGEST_GRACE * 1000 == previous_secrets.LONGEST_GRACE_MS
    assert checks.LONGEST_LIFE * 1000 == token.LONGEST_LIFE_MS
    assert (checks.LONGEST_NAME, checks.LONGEST_ABOUT) == (validation.MAX_NAME, validation.MAX_DESCRIPTION)
    assert checks.LONGEST_ADDRESS == service.MAX_URL
    assert checks._LABEL.pattern == token.LABEL_FORM
    assert tokens.MOST_LABELS == token.MAX_LABELS
    assert token_format.LEAST_DISTINCT == client_supplied.LEAST_DISTINCT
    assert token_format.WEBHOOK_PREFIX == core_webhooks.SECRET_PREFIX
    assert token_format.WEBHOOK_BYTES == core_webhooks.SECRET_BYTES


def test_events_are_the_servers() -> None:
    assert set(webhooks.EVENTS) == {kind.value for kind in EventKind}


ADDRESSES = (
    "https://example.com",
    "https://example.com:8443/hook?x=1#y",
    "https://[2001:db8::1]/hook",
    "http://localhost:9/b",
    "http://127.0.0.1/b",
    "http://localhost",
    "http://localhost.example.com/b",
    "http://example.com",
    "https://",
    "https://exa mple.com",
    "https://example.com/ hook",
    "https://example.com\n",
    "https://ex\u00e4mple.com",
    "https://user:password@example.com",
    "HTTPS://example.com",
    "ftp://example.com",
    "https://example.com/" + "x" * 480,
    "https://example.com/" + "x" * 481,
)


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda address: address[:40])
def test_addresses_are_those_that_the_server_takes(address: str) -> None:
    def takes() -> bool:
        try:
            core_webhooks.valid_url(address)
        except Invalid:
            return False
        return True

    def passes() -> bool:
        try:
            checks.WebAddress().convert(address, None, None)
        except click.BadParameter:
            return False
        return True

    assert passes() is takes()
