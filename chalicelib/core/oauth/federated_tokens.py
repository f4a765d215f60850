"""Identity tokens that outside issuers sign, and whether an issuer's key really signed one.

Which algorithms are possible is decided by the key (RFC 8725 section 3.1): none of them is symmetric, so no
public key can serve as a secret, and `none` is not among them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, RSAKey

from chalicelib.core.oauth.jwt import MAX_LENGTH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.oauth.ports import IssuerKeys

ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA", "Ed25519"),
}
MIN_RSA_BITS = 2048  # RFC 7518 section 3.3
MAX_CANDIDATES = 5  # keys that are tried if the token does not name one


@dataclass(frozen=True, slots=True)
class Assertion:
    """A JWT as it was presented, unverified."""

    text: str = field(repr=False)
    header: dict[str, Any]
    claims: dict[str, Any]


class FederatedTokens:
    """Reads them, and checks their signatures."""

    def __init__(self, keys: IssuerKeys) -> None:
        self._keys = keys

    def read(self, presented: str) -> Assertion | None:
        """Header and claims, unverified; None if it is no JWT."""
        if len(presented) > MAX_LENGTH:
            return None
        try:
            parts = jws.extract_compact(presented.encode("ascii"))
            claims = json.loads(parts.payload, object_pairs_hook=_each_once, parse_constant=_no_number)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            return None
        return Assertion(presented, dict(parts.headers()), claims) if isinstance(claims, dict) else None

    def problem_with(self, assertion: Assertion, issuer: str, given: Sequence[Mapping[str, str]] = ()) -> str | None:
        """Why the signature does not count; None if a key of the issuer made it. Where its keys are `given`, it is not
        asked. Raises IssuerUnreachable."""
        if "crit" in assertion.header:
            return "the header has critical extensions (crit), which are not supported"
        key_id = assertion.header.get("kid")
        if key_id is not None and not isinstance(key_id, str):
            return "kid is not a string"
        published = given or self._keys.of(issuer, key_id)
        # A key without a name may be any; of those that are fetched, a token that names one means that one.
        unnamed = key_id if given else None
        candidates = [dict(key) for key in published if key_id is None or key.get("kid", unnamed) == key_id]
        if not candidates:
            return f"the {'rule' if given else 'issuer'} has no key {key_id!r}"
        if any(_signed(assertion, key) for key in candidates[:MAX_CANDIDATES]):
            return None
        return f"no key of the issuer signed it with {str(assertion.header.get('alg'))[:20]!r}"


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 7519 section 4: a token in which a claim stands twice is refused. Raises ValueError."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is repeated")
    return members


def _no_number(text: str) -> float:
    """NaN and Infinity are not JSON (RFC 8259 section 6). Raises ValueError."""
    raise ValueError(text)


def _signed(assertion: Assertion, key: dict[str, Any]) -> bool:
    algorithms = ALGORITHMS.get(str(key.get("kty")), ())
    if key.get("use", "sig") != "sig" or not algorithms:
        return False
    if "alg" in key:
        algorithms = tuple(each for each in algorithms if each == key["alg"])
    try:
        imported = JWKRegistry.import_key(key)
        if isinstance(imported, RSAKey) and imported.public_key.key_size < MIN_RSA_BITS:
            return False
        jws.deserialize_compact(assertion.text, imported, algorithms=list(algorithms))
    except (JoseError, ValueError, TypeError, KeyError):
        return False
    return True
