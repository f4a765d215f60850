"""Requests that may be sent again without a second effect (IETF draft "The Idempotency-Key HTTP Header Field")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from chalicelib.core.common.errors import Invalid
from chalicelib.core.common.time import DAY_MS

LIFETIME_MS = DAY_MS

_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's `key` for one request, and a digest of what the request asks for."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredResult:
    """What an earlier request with a key asked for, and the id of what it made."""

    fingerprint: str
    target_id: str


class Replayed(Exception):
    """A request with this key has been carried out; look up what it made. Never shown."""


def parse_idempotency_key(key: str, fingerprint: str) -> IdempotencyKey:
    """Raises Invalid if `key` is not 1 to 255 visible ASCII characters."""
    if not _KEY.fullmatch(key):
        raise Invalid("Idempotency-Key", "must have 1 to 255 visible ASCII characters.")
    return IdempotencyKey(key, fingerprint)
