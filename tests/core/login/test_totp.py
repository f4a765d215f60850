"""Codes of authenticator apps and recovery codes."""

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.core.login.totp import (
    STEP_MS,
    looks_like_recovery_code,
    matching_step,
    new_recovery_codes,
    new_totp_secret,
    pairing_uri,
)

# RFC 6238 appendix B, SHA-1, the last six of its eight digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
def test_the_rfcs_own_codes_match(seconds: int, code: str) -> None:
    assert matching_step(RFC_SECRET, code, seconds * 1000) == seconds // 30


@given(st.integers(10**12, 10**13), st.integers(-5, 5))
def test_a_clock_may_be_off_by_one_step(now: int, drift: int) -> None:
    shown = pyotp.HOTP(RFC_SECRET).at(now // STEP_MS + drift)
    found = matching_step(RFC_SECRET, shown, now)
    assert (found is not None) == (abs(drift) <= 1)


@given(st.integers(10**12, 10**13), st.integers(-1, 1))
def test_no_code_is_good_again(now: int, drift: int) -> None:
    step = now // STEP_MS + drift
    code = pyotp.HOTP(RFC_SECRET).at(step)
    assert matching_step(RFC_SECRET, code, now, last_step=step - 1) is not None
    assert matching_step(RFC_SECRET, code, now, last_step=step) is None


@pytest.mark.parametrize("code", ["", "28708", "2870820", "２８７０８２", "28708a", "287082\n"])
def test_what_is_no_code_does_not_match(code: str) -> None:
    assert matching_step(RFC_SECRET, code, 59_000) is None


def test_an_app_reads_the_pairing() -> None:
    secret = new_totp_secret()
    read = pyotp.parse_uri(pairing_uri(secret, "jo@example.com"))
    assert (read.secret, read.name, read.issuer) == (secret, "jo@example.com", "Keyturn")


def test_recovery_codes_are_many_different_and_recognised() -> None:
    codes = new_recovery_codes()
    assert len(set(codes)) == len(codes) == 10
    assert all(looks_like_recovery_code(code) for code in codes)
    assert not looks_like_recovery_code("287082")
