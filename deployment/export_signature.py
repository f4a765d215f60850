"""Who made an export: the installation's own signature (Ed25519, RFC 8032), by a key that is derived from a tag key.

Exports do not hold the tag keys, so whoever can only open or seal exports cannot make one. Where the installation is
gone, the public key, which every export prints, is enough to verify.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PURPOSE = b"keyturn export signature"
FORM = "ed25519:"


class UntrustedExport(Exception):
    """Nobody whom we trust has signed this; the message says what to do."""


class Signer:
    """Signs in an installation's name."""

    def __init__(self, tag_key: bytes) -> None:
        """`tag_key`: one of the installation's, of 32 bytes or more."""
        self._key = Ed25519PrivateKey.from_private_bytes(hmac.digest(tag_key, PURPOSE, "sha256"))
        self.public = FORM + base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(PURPOSE + b"\n" + message)


def is_signed(message: bytes, signature: bytes, public: str) -> bool:
    """Whether the holder of this public key (`Signer.public`) has signed the message. Raises UntrustedExport if it is
    no key."""
    try:
        raw = base64.b64decode(public.removeprefix(FORM), validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw)
    except (binascii.Error, ValueError):
        raise UntrustedExport(f"--trust must be a key as an export prints it: {FORM}…") from None
    try:
        key.verify(signature, PURPOSE + b"\n" + message)
    except InvalidSignature:
        return False
    return True
