"""Passwords that people choose: which are strong enough, and how they rest.

Unlike tokens they can be guessed, so there is no fast tag in front of the Argon2id hash and nothing is
remembered between checks: every check costs one computation, also one that cannot succeed.
Sources: NIST SP 800-63B-4 section 3.1.1 (length, blocklist, no composition rules, normalization).
"""

from __future__ import annotations

import functools
import secrets
import unicodedata
from typing import TYPE_CHECKING

import argon2

from chalicelib.core.common.errors import Invalid
from chalicelib.core.secrets.hashing import COMPUTING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.secrets.hashing import Argon2Parameters

MIN_LENGTH = 12
MAX_LENGTH = 256


def normal(password: str) -> str:
    """The form that is hashed: the same characters typed on another keyboard give the same."""
    return unicodedata.normalize("NFKC", password)


def strong(password: str, personal: Sequence[str], field: str = "password") -> str:
    """The password's normal form. Raises Invalid if it is too short or too long, or one that somebody would try
    who knows lists of leaked passwords, patterns, and what is `personal` (login, name, e-mail address)."""
    # As it was typed, and first: one character can become eighteen, and putting many in order takes long.
    fits = MIN_LENGTH <= len(password) <= MAX_LENGTH
    normalized = normal(password) if fits else ""
    if not MIN_LENGTH <= len(normalized) <= MAX_LENGTH:
        raise Invalid(field, f"must have {MIN_LENGTH} to {MAX_LENGTH} characters.")
    from chalicelib.core.login import expected_passwords  # with its list

    problem = expected_passwords.problem(password, normalized, personal, MIN_LENGTH)
    if problem:
        raise Invalid(field, problem)
    return normalized


class PasswordHasher:
    """Hashes and checks passwords with Argon2id at the installation's cost."""

    def __init__(self, parameters: Argon2Parameters) -> None:
        self._argon2 = argon2.PasswordHasher(
            time_cost=parameters.passes, memory_cost=parameters.memory_kib, parallelism=parameters.lanes
        )

    def hash(self, password: str) -> str:
        """The encoded hash of a normal form (one Argon2id computation)."""
        with COMPUTING:
            return self._argon2.hash(password)

    def matches(self, password: str, encoded: str | None) -> bool:
        """Whether this is the hashed password. Without a hash, or longer than any can be: no, after as much work."""
        if len(password) > MAX_LENGTH:
            password, encoded = "", None
        against, normalized = encoded or self._nobodys, normal(password)
        try:
            with COMPUTING:
                return self._argon2.verify(against, normalized) and encoded is not None
        except argon2.exceptions.VerifyMismatchError:
            return False

    def is_outdated(self, encoded: str) -> bool:
        """Whether the cost was raised since."""
        return self._argon2.check_needs_rehash(encoded)

    @functools.cached_property
    def _nobodys(self) -> str:
        with COMPUTING:
            return self._argon2.hash(secrets.token_urlsafe())

    def prepare(self) -> None:
        """Make what checks without a hash need, so that the first of them takes no longer than others."""
        _ = self._nobodys
