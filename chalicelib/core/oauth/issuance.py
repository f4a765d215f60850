"""Makes access tokens, and ID tokens beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chalicelib.core.common.identifiers import KEYTURN, new_id
from chalicelib.core.oauth.access_tokens import CLAIM_SCOPES, EMAIL, LIFETIME_MS, OPENID, PROFILE, AccessToken

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.oauth.access_tokens import Source
    from chalicelib.core.oauth.delegations import Delegation
    from chalicelib.core.oauth.jwt import JwtFormat


@dataclass(frozen=True, slots=True)
class Issued:
    """What a client gets. The secrets are in this answer only."""

    token: AccessToken
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)


class Issuance:
    """Signs what the other operations have decided."""

    def __init__(self, jwt: JwtFormat) -> None:
        self._jwt = jwt

    def issue(
        self,
        subject_id: str,
        client_id: str,
        scope: tuple[str, ...],
        source: Source,
        now: int,
        audience: tuple[str, ...] | None = None,
        ends: int | None = None,
        actors: tuple[str, ...] = (),
        authenticated: int | None = None,
        exchanged_from: tuple[str, ...] = (),
        workload: str | None = None,
    ) -> Issued:
        """An access token. Its audience is the services of its scope unless said otherwise; it lives for a few
        minutes, and not beyond `ends`. `workload` is left out where it is not for Keyturn itself."""
        issued = now - now % 1000
        expires = issued + LIFETIME_MS
        token = AccessToken(
            id=new_id(),
            subject_id=subject_id,
            client_id=client_id,
            scope=scope,
            audience=audience or tuple(value for value in scope if value not in CLAIM_SCOPES),
            source=source,
            issued=issued,
            expires=expires if ends is None else min(expires, ends),
            actors=actors,
            authenticated=authenticated,
            exchanged_from=exchanged_from,
            workload=workload if KEYTURN in scope else None,
        )
        return Issued(token, self._jwt.sign_access_token(token))

    def id_token(self, user: User, delegation: Delegation, nonce: str | None, now: int) -> str | None:
        """Who the user is, for the client; None unless the scope asks for it (OpenID Connect Core section 2)."""
        if OPENID not in delegation.scope:
            return None
        claims: dict[str, Any] = {
            **user_claims(user, delegation.scope),
            "auth_time": delegation.authenticated // 1000,
            **({"nonce": nonce} if nonce else {}),
        }
        return self._jwt.sign_id_token(claims, delegation.client_id, now)


def user_claims(user: User, scope: tuple[str, ...]) -> dict[str, Any]:
    """What a service learns of the user (OpenID Connect Core sections 5.1 and 5.4)."""
    claims: dict[str, Any] = {"sub": user.id}
    if PROFILE in scope:
        claims |= {"name": user.name, "preferred_username": user.login}
    if EMAIL in scope and user.email:
        claims |= {"email": user.email, "email_verified": False}
    return claims
