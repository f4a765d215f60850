"""How a secret rests that is random, short-lived and good once: as its SHA-256 digest.

Argon2id makes guessing dear, and 256 random bits cannot be guessed however cheap it is; so nothing is gained by
it, and whoever may start a device, or redeem a code, must not be able to buy its work. Authorization codes and
device codes rest so. What is kept for long rests as in `core.secrets.hashing`, by ADR 3.
"""

import hashlib
import hmac


def digest(secret: str) -> str:
    """The digest, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_digest_of(known: str, presented: str) -> bool:
    """Whether `known` is the digest of what is presented. Compares in constant time."""
    return hmac.compare_digest(known, digest(presented))
