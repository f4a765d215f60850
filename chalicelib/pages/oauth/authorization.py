"""`/oauth2/auth`: a service sends a user here, and gets the browser back with a code (RFC 6749 section 4.1).

Hub's parameters `request_credentials` and `access_type` mean what they mean in Hub, where they can: there is no
guest account here, so `skip` asks for a login like `default`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from authlib.common.urls import add_params_to_uri
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidClientError,
    InvalidRequestError,
    UnsupportedResponseTypeError,
)

from chalicelib.core.common.errors import Invalid
from chalicelib.core.directory.grant_types import GrantType
from chalicelib.core.oauth.authorization_codes import AuthorizationRequest
from chalicelib.core.oauth.delegations import needs_no_consent
from chalicelib.oauth import routes
from chalicelib.oauth.grants import UnregisteredAddress
from chalicelib.oauth.server import LEFT_OUT, Server, protocol_error
from chalicelib.pages.frame import browser
from chalicelib.pages.frame.render import page
from chalicelib.pages.frame.views import for_people
from chalicelib.pages.login.login import LoginForm, login_page
from chalicelib.pages.oauth.consent import confirmed, consent_page, require_as_shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.directory.service import Service
    from chalicelib.web.request import FormRequest, Pairs

SILENT, REQUIRED = "silent", "required"
CREDENTIALS = ("skip", SILENT, REQUIRED, "default")
ACCESS = ("online", "offline")
PROMPTS = ("none", "login", "consent")
# RFC 6749 section 4.1.2.1: the user is told, and not sent on. In one text, so that no stranger learns which services
# there are.
UNKNOWN_SENDER = "client_id and redirect_uri: must be those of a service, exactly as it is registered."


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request that keeps to the rules; `pairs` are its parameters as they came."""

    request: AuthorizationRequest
    redirect_uri: str
    state: str | None
    silent: bool
    fresh_login: bool
    always_ask: bool
    pairs: Pairs


@for_people
def ask(form_request: FormRequest) -> Response:
    return _answered(form_request, form_request.pairs, go_on)


@for_people
def decide(form_request: FormRequest) -> Response:
    caller, text, state = confirmed(form_request)
    approved = form_request.value("decision") == "approve"

    def decided(form_request: FormRequest, asked: Asked) -> Response:
        if not approved:
            raise AccessDeniedError(description="The user has denied the request.")
        request, oauth = asked.request, form_request.oauth
        oauth.authorization_codes.require_allowed(caller, request)
        require_as_shown(request.client, request.offline, state)
        if not needs_no_consent(request.client, request.scope.values):
            oauth.approved_scopes.approve(caller, request.client, request.scope.values, request.offline)
        return _with_code(form_request, caller, asked)

    return _answered(form_request, parse_qsl(text, keep_blank_values=True), decided)


def go_on(form_request: FormRequest, asked: Asked) -> Response:
    """Log in, ask, or send the browser back with a code; whichever comes next."""
    caller = None if asked.fresh_login else browser.logged_in(form_request)
    if caller is None:
        if asked.silent:
            raise OAuth2Error(error="login_required", description="Nobody is logged in.")
        return login_page(form_request, login_form(form_request, asked))
    consent = form_request.oauth.authorization_codes.needs_consent(caller, asked.request)
    if consent or asked.always_ask:
        if asked.silent:
            raise OAuth2Error(error="consent_required", description="The user has to be asked.")
        return _consent_page(form_request, caller, asked)
    return _with_code(form_request, caller, asked)


def login_form(form_request: FormRequest, asked: Asked) -> LoginForm:
    """The form that leads back to the request, which then does not ask for a login again."""
    again = [(name, text) for name, text in asked.pairs if name not in ("request_credentials", "prompt")]
    return LoginForm(
        action=form_request.oauth.issuer + routes.LOGIN,
        next=f"auth?{urlencode([*again, ('prompt', 'consent')] if asked.always_ask else again)}",
        beginning=f"{form_request.oauth.issuer}{routes.AUTHORIZATION}?{urlencode(asked.pairs)}",
        client=asked.request.client.name,
        leads_to=asked.redirect_uri,
    )


def parse(form_request: FormRequest, pairs: Pairs) -> Asked:
    """The request in `pairs`. Raises OAuth2Error, with `redirect_uri` once that is known to be the service's."""
    server = Server(replace(form_request, pairs=pairs))
    protocol = server.create_oauth2_request(None)
    protocol.method = "GET"
    try:
        grant = server.get_consent_grant(protocol)
    except (InvalidClientError, UnregisteredAddress):
        raise InvalidRequestError(UNKNOWN_SENDER) from None
    redirect_uri: str = grant.redirect_uri
    with _told_to(redirect_uri):
        return _asked(replace(form_request, pairs=pairs), protocol.client.service, redirect_uri)


def _asked(form_request: FormRequest, client: Service, redirect_uri: str) -> Asked:
    for name in ("request", "request_uri"):
        if form_request.value(name):
            raise OAuth2Error(error=f"{name}_not_supported", description="Send the parameters in the query string.")
    _one_of(form_request, "response_mode", ("query",))
    prompts = (form_request.value("prompt") or "").split()
    if any(prompt not in PROMPTS for prompt in prompts) or ("none" in prompts and len(prompts) > 1):
        raise Invalid("prompt", "must be none, or login or consent or both.")
    credentials = _one_of(form_request, "request_credentials", CREDENTIALS)
    scope = form_request.oauth.scopes.requested(form_request.value("scope"), (client.id,))
    offline = scope.offline or _one_of(form_request, "access_type", ACCESS) == "offline"
    asked = AuthorizationRequest(
        client=client,
        scope=scope,
        redirect_uri=form_request.value("redirect_uri"),
        challenge=form_request.value("code_challenge") or "",
        nonce=_nonce(form_request),
        offline=offline and GrantType.REFRESH_TOKEN in client.grant_types,
    )
    return Asked(
        request=asked,
        redirect_uri=redirect_uri,
        state=form_request.value("state"),
        silent=credentials == SILENT or "none" in prompts,
        fresh_login=credentials == REQUIRED or "login" in prompts,
        always_ask="consent" in prompts,
        pairs=form_request.pairs,
    )


def _answered(form_request: FormRequest, pairs: Pairs, then: Callable[[FormRequest, Asked], Response]) -> Response:
    """What `then` makes of the request; errors go back to the service, once it is known where that is."""
    state = next((text for name, text in pairs if name == "state" and text), None)
    try:
        asked = parse(form_request, pairs)
        with _told_to(asked.redirect_uri):
            return then(form_request, asked)
    except OAuth2Error as error:
        if isinstance(error, UnsupportedResponseTypeError):
            error.description = LEFT_OUT["implicit"] + "."
        if error.redirect_uri is None:
            values = {"title": "Request failed", "text": error.description or error.error}
            return page(form_request, "message", values, status=HTTPStatus.BAD_REQUEST)
        return _redirect(form_request, error.redirect_uri, dict(error.get_body()), state)


@contextmanager
def _told_to(redirect_uri: str) -> Iterator[None]:
    """What is refused inside is told to the service at this address."""
    try:
        yield
    except Invalid as refusal:
        error = protocol_error(refusal)
        assert error
        error.redirect_uri = redirect_uri
        raise error from None
    except OAuth2Error as error:
        error.redirect_uri = redirect_uri
        raise


def _with_code(form_request: FormRequest, caller: Caller, asked: Asked) -> Response:
    code = form_request.oauth.authorization_codes.issue(caller, asked.request)
    return _redirect(form_request, asked.redirect_uri, {"code": code}, asked.state)


def _redirect(form_request: FormRequest, redirect_uri: str, values: dict[str, str], state: str | None) -> Response:
    """RFC 6749 section 4.1.2; with `iss`, so that a client of several servers cannot mix them up (RFC 9207)."""
    parameters = {**values, **({"state": state} if state else {}), "iss": form_request.oauth.issuer}
    location = add_params_to_uri(redirect_uri, list(parameters.items()))
    response: Response = Server(form_request).handle_response(HTTPStatus.SEE_OTHER, "", [("Location", location)])
    return response


def _consent_page(form_request: FormRequest, caller: Caller, asked: Asked) -> Response:
    request, text = asked.request, urlencode([pair for pair in asked.pairs if pair[0] != "prompt"])
    return consent_page(
        form_request,
        caller,
        request.client,
        request.scope,
        request.offline,
        routes.AUTHORIZATION,
        text,
        leads_to=asked.redirect_uri,
    )


def _one_of(form_request: FormRequest, name: str, allowed: tuple[str, ...]) -> str | None:
    value = form_request.value(name)
    if value is not None and value not in allowed:
        raise Invalid(name, f"must be one of {', '.join(allowed)}.")
    return value


def _nonce(form_request: FormRequest) -> str | None:
    nonce = form_request.value("nonce")
    if nonce is not None and len(nonce) > 500:
        raise InvalidRequestError("nonce: may have at most 500 characters.")
    return nonce
