"""Public keys that somebody gives by hand, as JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, RSAKey

from chalicelib.core.common.errors import Invalid
from chalicelib.core.oauth.federated_tokens import ALGORITHMS, MIN_RSA_BITS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_KEYS = 10
MAX_KEY_LENGTH = 2_000  # characters of one, as JSON; an RSA key of 8,192 bits has 1,500
MAX_KEY_ID = 200

_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_CURVES = {"EC": ("P-256", "P-384", "P-521"), "OKP": ("Ed25519", "Ed448")}
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

PublicKey = dict[str, str]


def public_keys(given: Sequence[Mapping[str, Any]], field: str = "keys") -> tuple[PublicKey, ...]:
    """Valid keys that check signatures, with what is needed for that and no more. Raises Invalid.

    They are of the kinds, and for the algorithms, that count of an issuer whose keys are fetched.
    """
    if len(given) > MAX_KEYS:
        raise Invalid(field, f"may have at most {MAX_KEYS} keys.")
    found = tuple(_public_key(each, f"{field}[{index}]") for index, each in enumerate(given))
    ids = [key["kid"] for key in found if "kid" in key]
    if len(set(ids)) < len(ids):
        raise Invalid(field, "has two keys with the same kid.")
    return found


def _public_key(given: Mapping[str, Any], field: str) -> PublicKey:
    if _PRIVATE & given.keys():
        raise Invalid(
            field, "contains a private or symmetric key. Send public keys only, and replace the key that was sent."
        )
    kind = given.get("kty")
    if not isinstance(kind, str) or kind not in _MEMBERS:
        raise Invalid(f"{field}.kty", "must be RSA, EC or OKP.")
    wanted = ("kty", "kid", "use", "alg", *_MEMBERS[kind])
    key = {name: given[name] for name in wanted if name in given}
    if not all(isinstance(value, str) for value in key.values()) or len(json.dumps(key)) > MAX_KEY_LENGTH:
        raise Invalid(field, f"must have only strings, of at most {MAX_KEY_LENGTH} characters.")
    _require_use(key, kind, field)
    _require_strength(key, field)
    return key


def _require_use(key: PublicKey, kind: str, field: str) -> None:
    if key.get("use", "sig") != "sig":
        raise Invalid(f"{field}.use", "must be sig.")
    if "alg" in key and key["alg"] not in ALGORITHMS[kind]:
        raise Invalid(f"{field}.alg", f"must be one of {', '.join(ALGORITHMS[kind])} for {kind}.")
    if kind in _CURVES and key.get("crv") not in _CURVES[kind]:
        raise Invalid(f"{field}.crv", f"must be one of {', '.join(_CURVES[kind])} for {kind}.")
    if "kid" in key and not (1 <= len(key["kid"]) <= MAX_KEY_ID and key["kid"].isprintable()):
        raise Invalid(f"{field}.kid", f"must have 1 to {MAX_KEY_ID} printable characters.")


def _require_strength(key: PublicKey, field: str) -> None:
    try:
        imported = JWKRegistry.import_key(dict(key))
        bits = imported.public_key.key_size if isinstance(imported, RSAKey) else None
        _ = imported.public_key
    except (JoseError, ValueError, TypeError, KeyError):
        raise Invalid(field, f"is not a valid {key['kty']} key.") from None
    if bits is not None and bits < MIN_RSA_BITS:
        raise Invalid(field, f"must have at least {MIN_RSA_BITS} bits.")
