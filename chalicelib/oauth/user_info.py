"""`/oauth2/userinfo`: who the user is, for a service with an access token (OpenID Connect Core section 5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.access.account import User
from chalicelib.core.common.errors import InsufficientScope, Unauthenticated
from chalicelib.core.oauth.access_tokens import OPENID
from chalicelib.core.oauth.issuance import user_claims
from chalicelib.oauth.views import for_bearers
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.web.request import FormRequest


@for_bearers
def describe(form_request: FormRequest) -> Response:
    scheme, _, presented = form_request.http.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("This needs 'Authorization: Bearer <access token>'.")
    verified = form_request.oauth.access_token_check.verify(presented.strip(), form_request.origin.now)
    if verified is None or not isinstance(verified.subject, User):
        raise Unauthenticated("The access token is not valid.")
    if OPENID not in verified.token.scope:
        raise InsufficientScope("The access token was not issued for the scope openid.")
    return answer(user_claims(verified.subject, verified.token.scope))
