"""A secret that somebody brings, such as from a vault, in place of a generated one.

Only the part of a token between its ids and its checksum can be supplied: the ids are where the record is found, and
the whole is put together from both (`core.secrets.token_format`). ADR 20 has the reasons.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid
from chalicelib.core.secrets.token_format import SECRET_LENGTH, CredentialKind

if TYPE_CHECKING:
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.verifier import SecretVerifier

FORM = f"[0-9A-Za-z]{{{SECRET_LENGTH}}}"
LEAST_DISTINCT = 16  # of a random one, fewer are different less than once in 10**10 times


def validate_client_supplied_secret(secret: str, field: str = "secret") -> str:
    """The secret, if it is as good as one that is made here, as far as that can be seen. Raises Invalid."""
    if not re.fullmatch(FORM, secret, re.ASCII):
        raise Invalid(field, f"must have exactly {SECRET_LENGTH} characters of A-Z, a-z and 0-9, chosen at random.")
    if len(set(secret)) < LEAST_DISTINCT:
        raise Invalid(field, f"is too easy to guess: it has fewer than {LEAST_DISTINCT} different characters.")
    return secret


def new_secret(supplied: str | None, owner_id: str, token_id: str) -> str:
    """What the owner's token will be presented as: with the secret that was supplied, or one that is made now."""
    kind = CredentialKind.PERMANENT_TOKEN
    return kind.issue(owner_id, token_id) if supplied is None else kind.assemble(supplied, owner_id, token_id)


def shown_if_current(
    verifier: SecretVerifier, current: HashedSecret, supplied: str | None, owner_id: str, token_id: str, now: int
) -> str | None:
    """What the owner's token is presented as, if its current secret is the one that was supplied. Raises Throttled."""
    if supplied is None:
        return None
    shown = new_secret(supplied, owner_id, token_id)
    return shown if verifier.verify(shown, current, now) else None
