"""What must come back as it was, encrypted; and what must come back unforged, signed.

Both with keys that are derived, purpose by purpose, from the installation's secret keys, which are
not in the database.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12


class UnknownKey(Exception):
    """It was encrypted under a key that is no longer configured. Never shown."""


class Keyring:
    """Encrypts (AES-256-GCM) and signs (HMAC-SHA-256). `keys` maps ids to keys of 32 bytes or more."""

    def __init__(self, keys: Mapping[str, bytes], current_key_id: str) -> None:
        self._keys = keys
        self._current = current_key_id

    def encrypt(self, plaintext: str, context: str) -> str:
        """Readable again for the same `context` only, such as the account that it belongs to."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        ciphertext = self._cipher(self._current).encrypt(nonce, plaintext.encode(), context.encode())
        return f"{self._current}:{base64.b64encode(nonce + ciphertext).decode()}"

    def decrypt(self, encrypted: str, context: str) -> str:
        """Raises UnknownKey, or cryptography's InvalidTag if it was changed or is of another context."""
        key_id, _, encoded = encrypted.rpartition(":")
        if key_id not in self._keys:
            raise UnknownKey
        raw = base64.b64decode(encoded)
        return self._cipher(key_id).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()).decode()

    def sign(self, message: bytes, context: str) -> bytes:
        """32 bytes that only this installation can make."""
        return self._signature(self._current, message, context)

    def has_signed(self, message: bytes, signature: bytes, context: str) -> bool:
        """Whether `sign` made this signature, with any configured key. Compares in constant time."""
        return any(hmac.compare_digest(made, signature) for made in self.signatures(message, context))

    def signatures(self, message: bytes, context: str) -> list[bytes]:
        """What `sign` made, or would make, of this message with each configured key."""
        return [self._signature(id, message, context) for id in self._keys]

    def _cipher(self, key_id: str) -> AESGCM:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(hmac.digest(self._keys[key_id], b"keyturn encryption", "sha256"))

    def _signature(self, key_id: str, message: bytes, context: str) -> bytes:
        key = hmac.digest(self._keys[key_id], b"keyturn signature " + context.encode(), "sha256")
        return hmac.digest(key, message, "sha256")
