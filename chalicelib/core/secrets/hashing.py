"""How a secret rests in the database: an Argon2id hash, and a short keyed tag in front of it.

The hash is what protects the secret (RFC 9106; at least OWASP's m=19 MiB, t=2, p=1). The tag
protects the processor: it takes microseconds to see that a secret presented for a known id is
wrong, so a stranger cannot buy Argon2 work. The tag is 32 bits of an HMAC under a key that is not
in the database: too short to guess a secret by, long enough that one wrong secret in four billion
reaches Argon2. ADR 3 has the reasons.
"""

from __future__ import annotations

import hmac
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import argon2

if TYPE_CHECKING:
    from collections.abc import Mapping

TAG_BYTES = 4
# How many computations run at a time in a process. Each takes 19 MiB, whatever the machine has, and anybody can ask for
# some by trying to log in; whoever wants more at a time runs more processes.
MOST_AT_A_TIME = 4
COMPUTING = threading.BoundedSemaphore(MOST_AT_A_TIME)


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """Cost of one hash: memory in KiB, passes, lanes. Below OWASP's minimum it will not start."""

    memory_kib: int = 19 * 1024
    passes: int = 2
    lanes: int = 1

    def __post_init__(self) -> None:
        if self.memory_kib < 19 * 1024 or self.passes < 2 or self.lanes < 1:
            raise ValueError("Argon2id needs at least 19456 KiB, 2 passes and 1 lane (OWASP).")


@dataclass(frozen=True, slots=True)
class HashedSecret:
    """A secret at rest: Argon2id hash in its encoded form, tag, and the id of the tag's key."""

    argon2id: str = field(repr=False)
    tag: bytes = field(repr=False)
    tag_key_id: str


class SecretHasher:
    """Hashes secrets and recognises them. Pure work on bytes; it remembers nothing."""

    def __init__(self, parameters: Argon2Parameters, tag_keys: Mapping[str, bytes], current_key_id: str) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=parameters.passes, memory_cost=parameters.memory_kib, parallelism=parameters.lanes
        )
        self._tag_keys = tag_keys
        self._current_key_id = current_key_id

    def hash(self, secret: str) -> HashedSecret:
        """Hash and tag `secret` with today's parameters and key (one Argon2id computation)."""
        key_id = self._current_key_id
        with COMPUTING:
            return HashedSecret(self._argon2.hash(secret), self._tag(secret, key_id), key_id)

    def passes_tag_check(self, secret: str, hashed: HashedSecret) -> bool:
        """False if the tag shows, without Argon2, that `secret` is wrong.

        A tag made with a key that is no longer configured shows nothing: losing a tag key costs
        time, never a token.
        """
        return hashed.tag_key_id not in self._tag_keys or self.tag_matches(secret, hashed)

    def tag_matches(self, secret: str, hashed: HashedSecret) -> bool:
        """True if the tag shows, without Argon2, that `secret` is very likely right."""
        if hashed.tag_key_id not in self._tag_keys:
            return False
        return hmac.compare_digest(self._tag(secret, hashed.tag_key_id), hashed.tag)

    def matches(self, secret: str, hashed: HashedSecret) -> bool:
        """Whether `secret` has this Argon2id hash (one Argon2id computation, constant-time compare)."""
        try:
            return self._argon2.verify(hashed.argon2id, secret)
        except (argon2.exceptions.VerifyMismatchError, argon2.exceptions.InvalidHashError):
            return False

    def is_outdated(self, hashed: HashedSecret) -> bool:
        """Whether `hashed` was made with other parameters or another tag key than today's."""
        return hashed.tag_key_id != self._current_key_id or self._argon2.check_needs_rehash(hashed.argon2id)

    def _tag(self, secret: str, key_id: str) -> bytes:
        return hmac.digest(self._tag_keys[key_id], secret.encode(), "sha256")[:TAG_BYTES]
