"""Addresses of services."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.errors import Invalid
from chalicelib.core.directory.service import address


@pytest.mark.parametrize("url", ["https://ci.example.com", "http://127.0.0.1:8000/path?x=1", "https://[::1]/"])
def test_web_addresses_are_valid(url: str) -> None:
    assert address(url, "homeUrl") == url


@pytest.mark.parametrize(
    "url",
    ["", "ci.example.com", "javascript:alert(1)", "https://", "https://a b", "http://x:999999", "https://ex\u00e4mple"],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(Invalid):
        address(url, "homeUrl")


@given(st.text(max_size=600))
def test_no_text_breaks_the_rule(url: str) -> None:
    try:
        assert address(url, "homeUrl").startswith(("http://", "https://"))
    except Invalid as refusal:
        assert refusal.field == "homeUrl"
