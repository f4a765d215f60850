"""Logins cannot look alike, names cannot hide anything."""

import unicodedata
from collections.abc import Callable
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common import validation
from chalicelib.core.common.errors import Invalid


@pytest.mark.parametrize("login", ["a", "build-bot", "j.doe+ci@example.com", "0", "A" * 64])
def test_ordinary_logins_are_valid(login: str) -> None:
    assert validation.login(login) == login


@pytest.mark.parametrize(
    "login", ["", "A" * 65, "-bot", "a b", "a/b", "a%b", "bot\n", "bоt", "me", "ME", "a\u202eb", "a\x00", "${a}"]
)
def test_other_logins_are_refused_by_name(login: str) -> None:
    with pytest.raises(Invalid) as refusal:
        validation.login(login)
    assert refusal.value.field == "login"


def test_logins_that_differ_in_case_are_the_same() -> None:
    assert validation.login_key("Build-Bot") == validation.login_key("build-bot")


@given(st.text(max_size=300))
def test_a_valid_name_is_printable_normal_and_not_empty(text: str) -> None:
    try:
        name = validation.name(text)
    except Invalid:
        return
    assert name == unicodedata.normalize("NFC", name).strip() != ""
    assert not any(unicodedata.category(character).startswith(("Cc", "Cf", "Zl", "Zp")) for character in name)
    assert len(name) <= validation.MAX_NAME


def test_names_that_look_equal_are_equal() -> None:
    assert validation.name(" Cafe\u0301 ") == validation.name("Caf\u00e9")


@pytest.mark.parametrize(
    ("rule", "most"), [(validation.name, validation.MAX_NAME), (validation.description, validation.MAX_DESCRIPTION)]
)
def test_much_too_long_a_text_is_not_looked_at(rule: Callable[[str], str], most: int) -> None:
    """Thirty thousand combining characters take a second to put in order."""
    assert rule("u\u0308" * most) == "\u00fc" * most
    with (
        patch.object(unicodedata, "normalize", side_effect=AssertionError("It was put in order.")),
        pytest.raises(Invalid, match=f"{most} characters"),
    ):
        rule("\u0301\u0323" * 30_000)


@given(st.text(max_size=100))
def test_whatever_is_a_valid_login_or_key_may_refer(text: str) -> None:
    for rule in (validation.login, validation.key):
        try:
            valid = rule(text)
        except Invalid:
            continue
        assert validation.could_be_identifier(valid)


@pytest.mark.parametrize("address", ["", "jo@example.com", "jo.doe+bots@sub.example.com", "a@b"])
def test_ordinary_mail_addresses_are_valid(address: str) -> None:
    assert validation.email(address) == address


@pytest.mark.parametrize(
    "address",
    ["jo", "@example.com", "jo@", "jo doe@example.com", "jo@exa mple.com", "jo@-a", "j\u043e@b.c", "a@" + "b" * 253],
)
def test_other_mail_addresses_are_refused_by_name(address: str) -> None:
    with pytest.raises(Invalid) as refusal:
        validation.email(address)
    assert refusal.value.field == "profile.email.email"


@given(st.text(max_size=60))
def test_a_description_hides_nothing_and_is_trimmed(text: str) -> None:
    try:
        described = validation.description(text)
    except Invalid as refusal:
        assert refusal.field == "description"
    else:
        assert described == described.strip()
        assert all(
            character in "\n\t" or unicodedata.category(character) not in {"Cc", "Cf"} for character in described
        )
