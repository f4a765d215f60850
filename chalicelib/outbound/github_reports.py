"""Who signs a report of found secrets: GitHub, by its secret scanning partner program.

Source: GitHub's page "Secret scanning partner program": the raw body is signed with ECDSA on P-256 and SHA-256; the
header `Github-Public-Key-Identifier` names the key, which GitHub publishes.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
import time
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from chalicelib.core.common.errors import Unauthenticated, Unavailable
from chalicelib.core.oauth.ports import IssuerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable

REMEMBERED_SECONDS = 3_600.0
PAUSE_SECONDS = 30.0  # between two fetches for a key that GitHub does not have, and after a failure
MAX_KEYS = 20
KEY_ID = re.compile(r"[0-9a-f]{16,128}")
SEQUENCE = b"\x30"  # with which an ECDSA signature in DER begins (RFC 3279 section 2.2.3)


class GithubReports:
    """Knows GitHub's reports by their signatures. One instance for the life of a process."""

    def __init__(
        self,
        fetch: Callable[[str], dict[str, Any]],
        address: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._address = address
        self._clock = clock
        self._keys: dict[str, EllipticCurvePublicKey] = {}
        self._at = float("-inf")
        self._failed = False
        self._lock = threading.Lock()

    def require_signed(self, body: bytes, key_id: str, signature: str) -> None:
        """Raises Unauthenticated unless GitHub signed this body; Unavailable if its keys cannot be had."""
        refusal = Unauthenticated("The report is not signed by GitHub.")
        try:
            signed = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            raise refusal from None
        # What cannot be a key's name, or a signature, makes nobody ask GitHub.
        key = self._key(key_id) if KEY_ID.fullmatch(key_id) and signed.startswith(SEQUENCE) else None
        if key is None:
            raise refusal
        try:
            key.verify(signed, body, ECDSA(SHA256()))
        except InvalidSignature:
            raise refusal from None

    def _key(self, id: str) -> EllipticCurvePublicKey | None:
        with self._lock:
            age = self._clock() - self._at
            if age >= (REMEMBERED_SECONDS if id in self._keys and not self._failed else PAUSE_SECONDS):
                self._refresh()
            if self._failed and id not in self._keys:
                raise Unavailable("GitHub's keys are not available. Send the report again.")
            return self._keys.get(id)

    def _refresh(self) -> None:
        try:
            self._keys, self._failed = _keys(self._fetch(self._address)), False
        except IssuerUnreachable:
            self._failed = True
        self._at = self._clock()


def _keys(document: dict[str, Any]) -> dict[str, EllipticCurvePublicKey]:
    listed = document.get("public_keys")
    keys = {}
    for entry in listed[:MAX_KEYS] if isinstance(listed, list) else ():
        try:
            key = load_pem_public_key(str(entry["key"]).encode())
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(key, EllipticCurvePublicKey):
            keys[str(entry.get("key_identifier"))] = key
    return keys
