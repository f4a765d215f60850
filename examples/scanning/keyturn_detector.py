"""Keyturn's secrets for detect-secrets (1.5 or newer), without false alarms: the checksum is checked.

detect-secrets scan -p examples/scanning/keyturn_detector.py
"""

from __future__ import annotations

import re
import string
import zlib
from typing import TYPE_CHECKING

from detect_secrets.plugins.base import RegexBasedDetector

if TYPE_CHECKING:
    from collections.abc import Generator

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
CHECKSUM = 6


class KeyturnDetector(RegexBasedDetector):
    """Prefix, letters and digits of a known number, and a CRC-32 of all before it in base 62: also of the kinds that
    later versions add."""

    secret_type = "Keyturn secret"
    denylist = tuple(
        re.compile(rf"(?<![0-9A-Za-z_])(?:kt[a-z]|kss)_[0-9A-Za-z]{{{length}}}(?![0-9A-Za-z])")
        for length in (61, 73, 95)
    )

    def analyze_string(self, string: str) -> Generator[str, None, None]:
        """Those of the matches whose checksum is right."""
        for found in super().analyze_string(string):
            if checksum(found[:-CHECKSUM]) == found[-CHECKSUM:]:
                yield found


def checksum(text: str) -> str:
    """CRC-32 (ISO 3309, as in zlib and PNG) of the ASCII text, as six digits of base 62."""
    rest, digits = zlib.crc32(text.encode("ascii")), ""
    for _ in range(CHECKSUM):
        rest, digit = divmod(rest, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
