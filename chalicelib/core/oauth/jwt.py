"""Access tokens and ID tokens on the wire: JSON Web Tokens that this installation signs.

Sources: RFC 9068 (access tokens), OpenID Connect Core section 2 (ID tokens), RFC 8725 (what can go wrong).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OKPKey

from chalicelib.core.common.errors import Conflict
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.oauth.access_tokens import AccessToken, Source
from chalicelib.core.oauth.signing_keys import Algorithm, SigningKey, current, published

if TYPE_CHECKING:
    from collections.abc import Mapping

    from joserfc.jwk import Key

    from chalicelib.core.oauth.ports import SigningKeys

ACCESS_TOKEN_TYPE = "at+jwt"  # RFC 9068 section 2.1: so no other JWT of ours passes for one
ID_TOKEN_LIFETIME_S = 300
MAX_LENGTH = 16_384

# RFC 9864 calls this one Ed25519, which the libraries of most services do not know yet.
warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)


def generate_key(algorithm: Algorithm, signs_from: int) -> SigningKey:
    """A new key pair; its id is the thumbprint of the public one (RFC 7638)."""
    key: Key = ECKey.generate_key("P-256") if algorithm is Algorithm.ES256 else OKPKey.generate_key("Ed25519")
    return SigningKey(key.thumbprint(), algorithm, signs_from, dict(key.as_dict(private=True)))


class JwtFormat:
    """Signs and reads. `issuer` is this installation's address."""

    def __init__(self, issuer: str, keys: SigningKeys) -> None:
        self.issuer = issuer
        self._keys = keys
        self._imported: dict[str, Key] = {}

    def sign_access_token(self, token: AccessToken) -> str:
        """The token as its bearer gets it. Raises Conflict if there is no key."""
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": token.subject_id,
            "aud": token.audience[0] if len(token.audience) == 1 else list(token.audience),
            "client_id": token.client_id,
            "scope": " ".join(token.scope),
            "jti": token.id,
            "iat": token.issued // 1000,
            "exp": token.expires // 1000,
            "src": str(token.source),
        }
        if token.authenticated is not None:
            claims["auth_time"] = token.authenticated // 1000
        if token.actors:
            claims["act"] = _nested(token.actors)
        if token.exchanged_from:
            claims["exchanged_from"] = list(token.exchanged_from)
        if token.workload is not None:
            claims["workload"] = token.workload
        return self._signed(claims, ACCESS_TOKEN_TYPE, token.issued)

    def sign_id_token(self, claims: Mapping[str, Any], client_id: str, now: int) -> str:
        """An ID token about `claims`, for the client. Raises Conflict if there is no key."""
        about = {"iss": self.issuer, "aud": client_id, "iat": now // 1000, "exp": now // 1000 + ID_TOKEN_LIFETIME_S}
        return self._signed({**about, "jti": new_id(), **claims}, "JWT", now)

    def read_access_token(self, presented: str, now: int) -> AccessToken | None:
        """What `presented` says, if we signed it as an access token and it has not expired; or None."""
        if len(presented) > MAX_LENGTH:
            return None
        keys = {key.id: key for key in published(self._keys.all(now), now)}
        try:
            header = jwt_header(presented)
            key = keys[header["kid"]]
            # The key says which algorithm, never the token (RFC 8725 section 3.1).
            token = jwt.decode(presented, self._key(key), algorithms=[key.algorithm.value])
            if token.header.get("typ") != ACCESS_TOKEN_TYPE or token.claims["iss"] != self.issuer:
                return None
            read = _token(token.claims)
        except (JoseError, ValueError, KeyError, TypeError):
            return None
        return read if now < read.expires else None

    def public_keys(self, now: int) -> list[dict[str, Any]]:
        """What services need to verify signatures (RFC 7517)."""
        return [
            {**self._key(key).as_dict(private=False), "kid": key.id, "use": "sig", "alg": key.algorithm.value}
            for key in published(self._keys.all(now), now)
        ]

    def _signed(self, claims: dict[str, Any], type: str, now: int) -> str:
        key = current(self._keys.all(now), now)
        if key is None:
            raise Conflict(
                "This installation has no signing key. Create one with 'python -m chalicelib.signing ensure'."
            )
        algorithm = key.algorithm.value
        header = {"alg": algorithm, "kid": key.id, "typ": type}
        return jwt.encode(header, claims, self._key(key), algorithms=[algorithm])

    def _key(self, key: SigningKey) -> Key:
        if key.id not in self._imported:
            self._imported[key.id] = JWKRegistry.import_key(key.jwk)
        return self._imported[key.id]


def jwt_header(presented: str) -> dict[str, Any]:
    """The header of a JWT, unverified. Raises ValueError or JoseError."""
    from joserfc.jws import extract_compact

    return dict(extract_compact(presented.encode("ascii")).headers())


def _token(claims: Mapping[str, Any]) -> AccessToken:
    audience = claims["aud"]
    return AccessToken(
        id=claims["jti"],
        subject_id=claims["sub"],
        client_id=claims["client_id"],
        scope=tuple(claims["scope"].split()),
        audience=(audience,) if isinstance(audience, str) else tuple(audience),
        source=Source.parse(claims["src"]),
        issued=claims["iat"] * 1000,
        expires=claims["exp"] * 1000,
        actors=_flat(claims.get("act")),
        authenticated=claims["auth_time"] * 1000 if "auth_time" in claims else None,
        exchanged_from=tuple(claims.get("exchanged_from", ())),
        workload=claims.get("workload"),
    )


def _nested(actors: tuple[str, ...]) -> dict[str, Any]:
    """RFC 8693 section 4.1: who acts now is outermost."""
    first, *earlier = actors
    return {"sub": first, "act": _nested(tuple(earlier))} if earlier else {"sub": first}


def _flat(act: Mapping[str, Any] | None) -> tuple[str, ...]:
    return (act["sub"], *_flat(act.get("act"))) if act else ()
