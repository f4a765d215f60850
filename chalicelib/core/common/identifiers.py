"""Random identifiers in base 62, so that a double-click selects one whole; and the two ids that are always the same.

No new name has their form (`names.not_an_id`), so that none can be taken for the id of something.
"""

import re
import secrets
import string

EVERYWHERE = "0"  # the id of Hub's global project
KEYTURN = "0-0-0-0-0"  # Keyturn's own service, under the id that Hub's own service has

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 12  # 71 bits: with ten million ids, a collision has odds of 1 in 50 million


# All three kinds of characters: people call things "buildmachine", "buildagent01" or "BUILDAGENT01".
ID_FORM = rf"(?=.*[0-9])(?=.*[A-Z])(?=.*[a-z])[0-9A-Za-z]{{{ID_LENGTH}}}"
_FORM = re.compile(ID_FORM, re.ASCII)


def random_text(length: int) -> str:
    """`length` characters of base 62 from the operating system's CSPRNG (5.95 bits each)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_id() -> str:
    """A fresh identifier for a user, token, service, role or audit record."""
    while not is_id(drawn := random_text(ID_LENGTH)):
        pass  # one in eight lacks a digit or a capital
    return drawn


def is_id(text: str) -> bool:
    """Whether it has the form of an identifier."""
    return bool(_FORM.fullmatch(text))


def base62(number: int, width: int) -> str:
    """`number` in base 62, most significant digit first, padded with zeros to `width`."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
