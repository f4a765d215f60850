"""What secrets of Keyturn look like, so that they are made here, and put together without asking anybody.

    ktp_ <user id: 12> <token id: 12> <secret: 43> <checksum: 6>   a permanent token
    kts_ <service id: 12> <secret: 43> <checksum: 6>               a service's secret
    whsec_ <base64 of 32 bytes>                                    a webhook's

The rules are in Keyturn's documentation (`docs/reference/token-format.md`, ADR 2, ADR 20; Standard Webhooks,
"Signature scheme"). What is brought to the server is the middle, the 43 characters: 256 bits in base 62. The
checksum is the CRC-32 of all before.
"""

from __future__ import annotations

import base64
import re
import secrets
import zlib
from dataclasses import dataclass

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_LENGTH = 12
MIDDLE_LENGTH = 43
CHECKSUM_LENGTH = 6
LEAST_DISTINCT = 16  # what has fewer different characters is refused by the server, as not made at random
WEBHOOK_PREFIX = "whsec_"
WEBHOOK_BYTES = 32
_IDS = {"ktp_": 2, "kts_": 1}
_MIDDLE = re.compile(f"[0-9A-Za-z]{{{MIDDLE_LENGTH}}}", re.ASCII)


@dataclass(frozen=True)
class Parsed:
    """A secret, taken apart: `ids` are where the server has its record."""

    prefix: str
    ids: tuple[str, ...]
    middle: str


def new_middle() -> str:
    """43 characters from the operating system's random source."""
    while len(set(made := "".join(secrets.choice(DIGITS) for _ in range(MIDDLE_LENGTH)))) < LEAST_DISTINCT:
        pass
    return made


def new_webhook_secret() -> str:
    """A key for signatures, in the form of Standard Webhooks."""
    return WEBHOOK_PREFIX + base64.b64encode(secrets.token_bytes(WEBHOOK_BYTES)).decode()


def permanent_token(middle: str, user_id: str, token_id: str) -> str:
    """The whole token that the server makes of a middle."""
    return _whole("ktp_" + user_id + token_id + middle)


def service_secret(middle: str, service_id: str) -> str:
    """The whole secret of a service that the server makes of a middle."""
    return _whole("kts_" + service_id + middle)


def parse(text: str) -> Parsed | None:
    """A permanent token or a service's secret, taken apart; None if it is neither, or mistyped."""
    prefix = text[:4]
    ids = _IDS.get(prefix)
    if ids is None or not re.fullmatch("[0-9A-Za-z]+", text[4:], re.ASCII):
        return None
    if len(text) != 4 + ids * ID_LENGTH + MIDDLE_LENGTH + CHECKSUM_LENGTH:
        return None
    body = text[:-CHECKSUM_LENGTH]
    if _whole(body) != text:
        return None
    starts = range(4, 4 + ids * ID_LENGTH, ID_LENGTH)
    return Parsed(prefix, tuple(body[start : start + ID_LENGTH] for start in starts), body[-MIDDLE_LENGTH:])


def is_checked(text: str) -> bool:
    """Whether it ends with the checksum of what is before, as every secret of Keyturn with a prefix does."""
    return text.isascii() and len(text) > MIDDLE_LENGTH and _whole(text[:-CHECKSUM_LENGTH]) == text


def is_middle(text: str) -> bool:
    """Whether it has the form of what is brought."""
    return bool(_MIDDLE.fullmatch(text))


def is_webhook_secret(text: str) -> bool:
    """Whether it has the form of a webhook's secret."""
    try:
        key = base64.b64decode(text.removeprefix(WEBHOOK_PREFIX), validate=True)
    except ValueError:
        return False
    return text.startswith(WEBHOOK_PREFIX) and 24 <= len(key) <= 64


def _whole(body: str) -> str:
    number, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        digits = DIGITS[digit] + digits
    return body + digits
