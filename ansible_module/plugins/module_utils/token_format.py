# Copyright: (c) 2026, the Keyturn authors
# Simplified BSD License (see https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a secret of Keyturn looks like, so that it is recognised, and put together, without asking anybody.

The rules are in Keyturn's documentation, `docs/reference/token-format.md`: a prefix, letters and digits, and
the CRC-32 of all before as six digits in base 62.
"""

from __future__ import annotations

import re
import secrets
import zlib

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SECRET_LENGTH = 43
HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"  # what stands where a secret was, as Ansible has it
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")  # of a JSON Web Key (RFC 7518 section 6)
KINDS = {
    "ktp": "permanent token",
    "kta": "application password",
    "kss": "session",
    "ktc": "authorization code",
    "kts": "service secret",
    "ktd": "device code",
    "ktr": "refresh token",
}
NEWER = "secret of another kind"  # which a newer server has
FOUND = re.compile(
    r"(?<![0-9A-Za-z_])(?:kt[a-z]|kss)_(?:[0-9A-Za-z]{61}|[0-9A-Za-z]{73}|[0-9A-Za-z]{95})(?![0-9A-Za-z_])"
)


def kind(text):
    """What kind of secret this is, or None if it is none, or mistyped."""
    if not isinstance(text, str) or not FOUND.fullmatch(text) or _checksum(text[:-6]) != text[-6:]:
        return None
    return KINDS.get(text[:3], NEWER)


def secrets_in(text):
    """Every secret in a text, in order."""
    return [found for found in FOUND.findall(text) if kind(found)]


def permanent_token(secret, user_id, token_id):
    """The whole token that the server makes of a secret that was brought."""
    return _whole("ktp_" + user_id + token_id + secret)


def service_secret(secret, service_id):
    """The same for the secret of a service."""
    return _whole("kts_" + service_id + secret)


def new_secret():
    """A secret that can be brought, such as by way of a vault."""
    return "".join(secrets.choice(DIGITS) for _number in range(SECRET_LENGTH))


def _whole(body):
    return body + _checksum(body)


def _checksum(text):
    number, digits = zlib.crc32(text.encode("ascii")), ""
    for _place in range(6):
        number, digit = divmod(number, 62)
        digits = DIGITS[digit] + digits
    return digits
