"""Argon2id once per secret and process, not once per request.

After a secret verifies, the process remembers a keyed digest of it, bound to the stored hash. The
stored record is still read for every request: only the Argon2id computation is saved, so nothing
here can keep a revoked, narrowed or re-hashed credential alive.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Throttled
from chalicelib.core.secrets.hashing import COMPUTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.secrets.hashing import HashedSecret, SecretHasher

REMEMBERED = 10_000  # digests of 16 bytes: about 2 MB of a process
FAILURE_LIMIT = 10
FAILURE_WINDOW_MS = 60_000


class SecretVerifier:
    """Checks presented secrets against hashed ones. One instance for the life of a process."""

    def __init__(self, hasher: SecretHasher) -> None:
        self._hasher = hasher
        self._key = secrets.token_bytes(32)
        self._verified: OrderedDict[bytes, None] = OrderedDict()
        self._failures: OrderedDict[str, list[int]] = OrderedDict()

    def hash_secret(self, secret: str) -> HashedSecret:
        """Hash a new secret; its first use will cost one Argon2id computation."""
        return self._hasher.hash(secret)

    def verify(self, secret: str, hashed: HashedSecret, now: int) -> bool:
        """Whether `secret` is the one that was hashed. `now` in milliseconds since the epoch.

        Raises Throttled when too many secrets for this record had to be refused by Argon2 itself,
        which takes a tag that matches by luck or whose key is gone. A secret that this process has
        verified before is never throttled, so nobody can lock out a working client.
        """
        digest = self._digest(secret, hashed)
        if digest in self._verified:
            return True
        if not self._hasher.passes_tag_check(secret, hashed):
            return False
        self._check_failures(hashed.argon2id, now)
        with COMPUTING:
            # Whoever waited, while another thread was at the same secret, need not compute it again.
            if digest not in self._verified and not self._hasher.matches(secret, hashed):
                self._remember_failure(hashed.argon2id, now)
                return False
            self._verified[digest] = None
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return True

    def verify_together(self, presented: Sequence[tuple[str, HashedSecret]], now: int) -> None:
        """Do the costly part of several checks at the same time; `verify` then finds it done.

        Argon2 lets go of the interpreter, so on two processors two computations take the time of
        one: that is a quarter of a cold start. It decides nothing, and computes nothing unless
        every tag matches its secret.
        """
        costly = [pair for pair in presented if self._digest(*pair) not in self._verified]
        if len(costly) < 2 or not all(self._hasher.tag_matches(*pair) for pair in costly):
            return
        threads = [threading.Thread(target=self._verify_quietly, args=(*pair, now)) for pair in costly]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _verify_quietly(self, secret: str, hashed: HashedSecret, now: int) -> None:
        with contextlib.suppress(Throttled):  # the check that counts will raise it again
            self.verify(secret, hashed, now)

    def tag_matches(self, secret: str, hashed: HashedSecret) -> bool:
        """Whether `secret` is very likely the one that was hashed, as far as can be seen without Argon2."""
        return self._hasher.tag_matches(secret, hashed)

    def is_outdated(self, hashed: HashedSecret) -> bool:
        """Whether a verified secret should be hashed anew: the cost was raised or the tag key changed."""
        return self._hasher.is_outdated(hashed)

    def _digest(self, secret: str, hashed: HashedSecret) -> bytes:
        text = f"{secret}\0{hashed.argon2id}".encode()
        return hashlib.blake2b(text, key=self._key, digest_size=16).digest()

    def _check_failures(self, record: str, now: int) -> None:
        recent = [at for at in self._failures.get(record, ()) if now - at < FAILURE_WINDOW_MS]
        if len(recent) >= FAILURE_LIMIT:
            raise Throttled(retry_after=max(1, (recent[0] + FAILURE_WINDOW_MS - now) // 1000))

    def _remember_failure(self, record: str, now: int) -> None:
        recent = [at for at in self._failures.pop(record, []) if now - at < FAILURE_WINDOW_MS]
        self._failures[record] = [*recent, now]
        if len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)
