"""The signing keys of this installation, as a process knows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chalicelib.core.oauth.signing_keys import Algorithm, SigningKey, first_moment, published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.signing.documents import KeyDocument

REMEMBERED_MS = 60_000  # far less than a new key is published before it signs


class StoredSigningKeys:
    """Implements `core.oauth.ports.SigningKeys`."""

    def __init__(self, document: KeyDocument | None) -> None:
        self._document = document
        self._known: list[SigningKey] = []
        self._read_at: int | None = None

    def all(self, now: int) -> Sequence[SigningKey]:
        if self._document and (self._read_at is None or now - self._read_at >= REMEMBERED_MS):
            self._known = load(self._document)
            self._read_at = now
        return self._known


def load(document: KeyDocument) -> list[SigningKey]:
    """All keys in the document."""
    text = document.read()
    return [] if not text else [_key(entry) for entry in json.loads(text)["keys"]]


def add_key(document: KeyDocument, algorithm: Algorithm, now: int) -> SigningKey:
    """Another key, which will sign after a while, or at once if it is the first; those that nothing needs any
    more go."""
    from chalicelib.core.oauth.jwt import generate_key

    keys = load(document)
    key = generate_key(algorithm, first_moment(keys, now))
    kept = [key, *published(keys, now)]
    document.write(json.dumps({"keys": [_entry(each) for each in kept]}))
    return key


def _entry(key: SigningKey) -> dict[str, object]:
    return {"id": key.id, "algorithm": key.algorithm.value, "signs_from": key.signs_from, "jwk": key.jwk}


def _key(entry: dict[str, object]) -> SigningKey:
    jwk, signs_from = entry["jwk"], entry["signs_from"]
    assert isinstance(jwk, dict)
    assert isinstance(signs_from, int)
    return SigningKey(str(entry["id"]), Algorithm(entry["algorithm"]), signs_from, jwk)
