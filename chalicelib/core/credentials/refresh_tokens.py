"""Refresh tokens that show by themselves that they are ours.

A delegation keeps only the secrets that are good. One that it does not know is either superseded, which means
that somebody has a copy and the delegation must end (RFC 9700 section 4.14.2), or invented, which must not let
a stranger end it. Our signature in the token tells the two apart; it does not make a token good.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from chalicelib.core.credentials.wire_format import CHECKSUM_LENGTH, REFRESH_TOKEN, SECRET_LENGTH, SIGNATURE_LENGTH
from chalicelib.core.identifiers import base62, random_text

if TYPE_CHECKING:
    from chalicelib.core.credentials.keyring import Keyring

CONTEXT = "refresh token"
SIGNATURE_BYTES = 16


class RefreshTokenFormat:
    """Issues refresh tokens and recognises those that were issued."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    def issue(self, user_id: str, delegation_id: str) -> str:
        """A new refresh token of this delegation."""
        random = random_text(SECRET_LENGTH)
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
