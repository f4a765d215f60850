"""`/oauth2/introspect`: a connected service asks about a token (RFC 7662)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from chalicelib.core.access.account import User
from chalicelib.core.common.errors import Invalid, Unauthenticated
from chalicelib.core.common.origin import agent, client_address
from chalicelib.core.oauth.access_tokens import AccessToken
from chalicelib.core.secrets.token_format import FOR_SERVICES, recognise
from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.telemetry import log_fields
from chalicelib.web.errors import ClientUnauthenticated, answer
from chalicelib.web.headers import REPEATED, basic_pair, form_pairs, sunset

if TYPE_CHECKING:
    from chalice.app import Request, Response

    from chalicelib.core.authentication.introspection import IntrospectionResult
    from chalicelib.core.directory.service import Service

INACTIVE = {"active": False}
PARAMETERS = ("token", "token_type_hint", "client_address", "user_agent")
MAX_FIELDS = 20


@operation(dry_run=False)
def introspect(call: Call) -> Response:
    client, secret = _client(call.request)
    form = _form(call.request)
    if "token" not in form:
        raise Invalid("token", "is required.")
    presented = form["token"]
    address = client_address(form["client_address"], "client_address") if "client_address" in form else None
    program = agent(form["user_agent"]) if "user_agent" in form else None
    try:
        now, asking_from = call.origin.now, call.origin.address
        answered = call.keyturn.introspection.answer(client, secret, presented, now, address, program, asking_from)
    except Unauthenticated as error:
        raise ClientUnauthenticated(str(error)) from None
    call.headers.update(sunset(answered.secret_ends))
    found = answered.found
    if found is None:
        key = recognise(presented, *FOR_SERVICES)
        log_fields(RefusedVerifications=1, service=client, credential=key.id if key else None)
        return answer(INACTIVE)
    log_fields(Verifications=1, service=found.service.id, account=found.owner.id, credential=found.credential.id)
    return answer(_description(found))


def _description(found: IntrospectionResult) -> dict[str, object]:
    """RFC 7662 section 2.2. `scope` and `aud` name only the service that asks: the rest of a token's
    scope is none of its business."""
    credential, owner = found.credential, found.owner
    if isinstance(credential, AccessToken):
        return _of_access_token(credential, owner, found.service)
    assert isinstance(owner, User)
    ends = {} if found.ends is None else {"exp": found.ends // 1000}
    return {
        "active": True,
        "token_type": credential.kind.value.token_type,
        "scope": found.service.id,
        "aud": found.service.id,
        "sub": owner.id,
        "username": owner.login,
        "name": owner.name,
        "account_type": owner.type.value,
        "jti": credential.id,
        "iat": credential.created // 1000,
        **ends,
    }


def _of_access_token(token: AccessToken, subject: User | Service, asking: Service) -> dict[str, object]:
    described: dict[str, object] = {
        "active": True,
        "token_type": "Bearer",
        "scope": asking.id,
        "aud": asking.id,
        "client_id": token.client_id,
        "sub": subject.id,
        "name": subject.name,
        "account_type": subject.type.value if isinstance(subject, User) else "service",
        "jti": token.id,
        "iat": token.issued // 1000,
        "exp": token.expires // 1000,
    }
    if isinstance(subject, User):
        described["username"] = subject.login
    if token.actors:
        described["act"] = {"sub": token.actors[0]}
    return described


def _client(request: Request) -> tuple[str, str]:
    """The service's id or key, and its secret, from HTTP Basic (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    pair = basic_pair(encoded) if scheme.lower() == "basic" else None
    if pair is None:
        raise ClientUnauthenticated("This needs HTTP Basic with the service's id and secret.")
    return unquote_plus(pair[0]), unquote_plus(pair[1])


def _form(request: Request) -> dict[str, str]:
    """The parameters, of which none may come more than once (RFC 6749 section 3.2)."""
    form: dict[str, str] = {}
    for name, text in form_pairs(request, MAX_FIELDS):
        if name in form:
            # What is no parameter of ours could be anything, and is not quoted.
            raise Invalid(name if name in PARAMETERS else "body", REPEATED)
        form[name] = text
    return form
