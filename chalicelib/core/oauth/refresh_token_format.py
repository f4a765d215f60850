"""Refresh tokens that show by themselves that they are ours.

A delegation keeps only the secrets that are good. One that it does not know is either superseded, which means
that somebody has a copy and the delegation must end (RFC 9700 section 4.14.2), or invented, which must not let
a stranger end it. Our signature in the token tells the two apart; it does not make a token good.

What comes after a refresh token is the same however often it is asked for: so many requests at once, or one that is
sent again, are answered alike, and nothing has to be kept for that. To know it takes the token itself, what is stored
of it, and the installation's key.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from chalicelib.core.common.identifiers import base62, random_text
from chalicelib.core.secrets.token_format import CHECKSUM_LENGTH, REFRESH_TOKEN, SECRET_LENGTH, SIGNATURE_LENGTH

if TYPE_CHECKING:
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.keyring import Keyring

CONTEXT = "refresh token"
NEXT_CONTEXT = "next refresh token"
SIGNATURE_BYTES = 16


class RefreshTokenFormat:
    """Issues refresh tokens and recognises those that were issued."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def issue(self, user_id: str, delegation_id: str) -> str:
        """A new refresh token of this delegation."""
        return self._signed(random_text(SECRET_LENGTH), user_id, delegation_id)

    def next_after(self, presented: str, hashed: HashedSecret, user_id: str, delegation_id: str) -> str:
        """The refresh token that takes the place of the one that is `presented`, which is stored as `hashed`: 256 bits
        of HMAC-SHA-256. Another one only under another key of the installation."""
        made = self._keyring.sign(f"{presented} {hashed.argon2id}".encode(), NEXT_CONTEXT)
        return self._signed(base62(int.from_bytes(made), SECRET_LENGTH), user_id, delegation_id)

    def _signed(self, random: str, user_id: str, delegation_id: str) -> str:
        signature = self._keyring.sign(f"{user_id}{delegation_id}{random}".encode(), CONTEXT)
        return REFRESH_TOKEN.assemble(random + _text(signature), user_id, delegation_id)

    def is_ours(self, presented: str) -> bool:
        """Whether `presented`, which has the form, was issued here, at whatever time."""
        signed = presented[len(REFRESH_TOKEN.prefix) : -CHECKSUM_LENGTH]
        message, signature = signed[:-SIGNATURE_LENGTH], signed[-SIGNATURE_LENGTH:]
        made = self._keyring.signatures(message.encode(), CONTEXT)
        return any(hmac.compare_digest(_text(each), signature) for each in made)


def _text(signature: bytes) -> str:
    return base62(int.from_bytes(signature[:SIGNATURE_BYTES]), SIGNATURE_LENGTH)
