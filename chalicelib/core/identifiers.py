"""Random identifiers in base 62, so that a double-click selects one whole."""

import secrets
import string

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH = 12  # 71 bits: with ten million ids, a collision has odds of 1 in 60 million


def random_text(length: int) -> str:
    """`length` characters of base 62 from the operating system's CSPRNG (5.95 bits each)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_id() -> str:
    """A fresh identifier for a user, token, service, role or audit record."""
    return random_text(ID_LENGTH)


def base62(number: int, width: int) -> str:
    """`number` in base 62, most significant digit first, padded with zeros to `width`."""
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))
