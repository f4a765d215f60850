"""Codes that are good once: of an authenticator app (TOTP, RFC 6238), and recovery codes on paper."""

from __future__ import annotations

import hmac
import re

from chalicelib.core.common.identifiers import random_text

STEP_MS = 30_000
DRIFT = 1  # steps that a clock may be off, either way
RECOVERY_CODES = 10
RECOVERY_LENGTH = 12  # 71 bits

_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def new_totp_secret() -> str:
    """160 bits in base 32, as authenticator apps take them."""
    import pyotp

    return pyotp.random_base32()


def pairing_uri(secret: str, login: str) -> str:
    """What an authenticator app reads from the QR code (the Key URI format)."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="Keyturn")


def matching_step(secret: str, code: str, now: int, last_step: int = 0) -> int | None:
    """The 30-second step whose code this is; None if it is wrong, or not of a step after `last_step`."""
    import pyotp

    if not _CODE.fullmatch(code):
        return None
    codes, current = pyotp.HOTP(secret), now // STEP_MS  # TOTP is HOTP over time (RFC 6238 section 4)
    matching = None
    for step in range(current - DRIFT, current + DRIFT + 1):  # all of them, so that time tells nothing
        if hmac.compare_digest(codes.at(step), code) and step > last_step:
            matching = step
    return matching


def new_recovery_codes() -> list[str]:
    """Codes such as `aB3d-eF6h-iJ9k`."""
    texts = [random_text(RECOVERY_LENGTH) for _ in range(RECOVERY_CODES)]
    return ["-".join(text[start : start + 4] for start in range(0, RECOVERY_LENGTH, 4)) for text in texts]


def looks_like_recovery_code(code: str) -> bool:
    """Whether it may be one; if not, nothing needs to be computed."""
    return bool(re.fullmatch(r"[0-9A-Za-z]{4}(-[0-9A-Za-z]{4}){2}", code, re.ASCII))
