"""A secret that somebody brings, such as from a vault, instead of one that is made here.

Only the part of a token between its ids and its checksum can be brought: the ids are where the record is found, and
the whole is put together from both (`credentials.wire_format`). ADR 20 has the reasons.
"""

from __future__ import annotations

import re

from chalicelib.core.credentials.wire_format import SECRET_LENGTH
from chalicelib.core.errors import Invalid

FORM = f"[0-9A-Za-z]{{{SECRET_LENGTH}}}"
LEAST_DISTINCT = 16  # of a random one, fewer are different less than once in 10**10 times


def brought(secret: str, field: str = "secret") -> str:
    """The secret, if it is as good as one that is made here, as far as that can be seen. Raises Invalid."""
    if not re.fullmatch(FORM, secret, re.ASCII):
        raise Invalid(field, f"must have exactly {SECRET_LENGTH} characters of A-Z, a-z and 0-9, chosen at random.")
    if len(set(secret)) < LEAST_DISTINCT:
        raise Invalid(field, f"is too easily guessed: fewer than {LEAST_DISTINCT} different characters are not random.")
    return secret
