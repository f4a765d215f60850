"""What secrets look like, and that nothing else passes for one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.common.identifiers import ALPHABET, ID_LENGTH, new_id
from chalicelib.core.secrets.token_format import SECRET_LENGTH, SERVICE_SECRET, CredentialKind, TokenFormat

FORMATS = (CredentialKind.PERMANENT_TOKEN.value, SERVICE_SECRET)


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_issued_parses_to_its_ids(format: TokenFormat) -> None:
    ids = tuple(new_id() for _ in range(format.ids))
    secret = format.issue(*ids)
    assert format.parse(secret) == ids
    assert re.fullmatch(format.pattern, secret)


def test_a_permanent_token_is_prefix_ids_secret_and_checksum() -> None:
    token = CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id())
    assert re.fullmatch(rf"ktp_[0-9A-Za-z]{{{2 * ID_LENGTH + SECRET_LENGTH + 6}}}", token)


def test_a_secret_holds_256_bits() -> None:
    assert len(ALPHABET) ** SECRET_LENGTH > 2**256


def test_no_two_secrets_are_the_same() -> None:
    ids = new_id(), new_id()
    assert len({CredentialKind.PERMANENT_TOKEN.issue(*ids) for _ in range(1_000)}) == 1_000


@given(position=st.integers(4, 76), replacement=st.sampled_from(ALPHABET))
def test_one_mistyped_character_is_noticed(position: int, replacement: str) -> None:
    token = CredentialKind.PERMANENT_TOKEN.issue("A" * ID_LENGTH, "B" * ID_LENGTH)
    mistyped = token[:position] + replacement + token[position + 1 :]
    assert (CredentialKind.PERMANENT_TOKEN.value.parse(mistyped) is None) == (mistyped != token)


@given(st.text(max_size=120) | st.from_regex(CredentialKind.PERMANENT_TOKEN.value.pattern, fullmatch=True))
def test_nothing_else_parses(text: str) -> None:
    assert CredentialKind.PERMANENT_TOKEN.value.parse(text) is None


@pytest.mark.parametrize("around", ["{} ", " {}", "{}\n", "{}\x00", "{}A"])
def test_nothing_may_stand_around_it(around: str) -> None:
    assert (
        CredentialKind.PERMANENT_TOKEN.value.parse(
            around.format(CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id()))
        )
        is None
    )


def test_one_kind_does_not_pass_for_another() -> None:
    assert SERVICE_SECRET.parse(CredentialKind.PERMANENT_TOKEN.issue(new_id(), new_id())) is None
    assert CredentialKind.PERMANENT_TOKEN.value.parse(SERVICE_SECRET.issue(new_id())) is None
