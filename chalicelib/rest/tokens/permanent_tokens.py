"""`/users/{user}/permanenttokens`: an account's permanent tokens."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from msgspec import UnsetType

from chalicelib.core.tokens.manage import CURRENT, UNCHANGED
from chalicelib.core.tokens.token import DETAILS, LABEL_FORM, TokenDetails
from chalicelib.rest.contract.contracts import Searchable
from chalicelib.rest.contract.durations import milliseconds
from chalicelib.rest.contract.endpoint import DEFAULT_TOP, MAX_TOP, Call, operation
from chalicelib.rest.tokens.token_bodies import (
    NewToken,
    Rotation,
    RotationRollback,
    SecretComparison,
    TokenChange,
    secret_in,
)
from chalicelib.rest.tokens.token_shapes import (
    CREATED_TOKEN,
    LISTED_TOKEN,
    PERMANENT_TOKEN,
    ROTATED_TOKEN,
    TOKEN_COMPARISON,
    TokenView,
)
from chalicelib.web.checked_parameters import POSITION_FORM
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalice.app import Response

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.tokens.health import TokenFlags
    from chalicelib.core.tokens.manage import OwnedToken
    from chalicelib.rest.contract.bodies import Reference


@operation(PERMANENT_TOKEN, collection="permanenttokens", search=Searchable(("name",), (), ("name", "creationTime")))
def list_tokens(call: Call, user: str) -> Response:
    window, search = call.window(), call.search()
    caller = call.caller()
    page = call.keyturn.permanent_tokens.page(caller, user, window, search)
    return call.many(token_views(call, caller, page.items), window, page.total)


@operation(CREATED_TOKEN, body=NewToken, creates=True)
def create_token(call: Call, user: str) -> Response:
    caller = call.caller()
    body = call.body(NewToken)
    tokens = call.keyturn.permanent_tokens
    return call.create(
        caller,
        lambda by: _view(
            call,
            caller,
            tokens.create(by, user, body.name, _scope(body.scope), body.expires_on, _details(body), body.secret),
        ),
        lambda id: _view(call, caller, tokens.created(caller, user, id, body.secret)),
    )


@operation(PERMANENT_TOKEN)
def get_token(call: Call, user: str, token: str) -> Response:
    """`current` is the token that is presented, whatever its scope."""
    caller = call.caller(whatever_scope=token == CURRENT)
    return _one(call, caller, call.keyturn.permanent_tokens.get(caller, user, token))


@operation(PERMANENT_TOKEN, body=TokenChange)
def update_token(call: Call, user: str, token: str) -> Response:
    caller = call.caller()
    body = call.body(TokenChange)
    scope = None if body.scope is None else _scope(body.scope)
    expires = UNCHANGED if isinstance(body.expires_on, UnsetType) else body.expires_on
    tokens = call.keyturn.permanent_tokens
    return _one(call, caller, tokens.update(caller, user, token, body.name, scope, expires, _details(body)))


@operation(ROTATED_TOKEN, body=Rotation, creates=True)
def rotate_token(call: Call, user: str, token: str) -> Response:
    caller = call.caller(whatever_scope=True, supplied_secret=secret_in(call.request.raw_body))
    body = call.body(Rotation)
    rotation, grace_ms = call.keyturn.rotation, milliseconds(body.grace, "grace")
    return call.create(
        caller,
        lambda by: _view(call, caller, rotation.rotate(by, user, token, grace_ms, body.secret, body.seen, body.labels)),
        lambda id: _view(call, caller, rotation.rotated(caller, user, id, body.secret)),
    )


@operation(TOKEN_COMPARISON, body=SecretComparison, dry_run=False)
def compare_secret(call: Call, user: str, token: str) -> Response:
    """Whether a secret that could be supplied is the token's already, so that nothing needs to change."""
    caller = call.caller()
    return call.one(call.keyturn.rotation.has_current(caller, user, token, call.body(SecretComparison).secret))


@operation(PERMANENT_TOKEN, body=RotationRollback)
def take_back_rotation(call: Call, user: str, token: str) -> Response:
    caller = call.caller(whatever_scope=True)
    return _one(call, caller, call.keyturn.rotation.roll_back(caller, user, token, call.body(RotationRollback).keep))


@operation()
def delete_token(call: Call, user: str, token: str) -> Response:
    call.keyturn.permanent_tokens.delete(call.caller(), user, token)
    return answer({})


@operation(LISTED_TOKEN, query=("label", "after", "$top"), cursor_list="permanenttokens")
def list_all_tokens(call: Call) -> Response:
    """Those of all accounts with a label, newest last; or all, by when something will happen to them."""
    caller, top = call.caller(), max(1, min(call.number("$top", DEFAULT_TOP), MAX_TOP))
    label, after = call.text("label", LABEL_FORM), call.text("after", POSITION_FORM)
    found = call.keyturn.permanent_tokens.labelled(caller, label, after, top)
    return call.cursor_list(token_views(call, caller, found.items), top, found.after)


def _details(body: NewToken | TokenChange) -> TokenDetails:
    return TokenDetails.of({name: getattr(body, name) for name in DETAILS})


def _scope(references: Sequence[Reference]) -> list[str]:
    return [reference.text(f"scope[{index}]") for index, reference in enumerate(references)]


def _one(call: Call, caller: Caller, owned: OwnedToken) -> Response:
    return call.one(_view(call, caller, owned))


def _view(call: Call, caller: Caller, owned: OwnedToken) -> TokenView:
    return token_views(call, caller, [owned])[0]


def token_views(call: Call, caller: Caller, tokens: Sequence[OwnedToken]) -> list[TokenView]:
    """The tokens with the services that their scopes name, read together."""
    services = call.keyturn.services.resolve({id for owned in tokens for id in owned.token.scope})

    @cache
    def flags() -> Mapping[str, TokenFlags]:
        return call.keyturn.permanent_tokens.flags(tokens, services, call.origin.now)

    @cache
    def authors() -> Mapping[str, User]:
        return call.keyturn.accounts.known(caller, {owned.token.author_id for owned in tokens})

    shown = call.keyturn.services.shown
    return [TokenView(owned, shown(caller, services, owned.owner.id), flags, authors) for owned in tokens]
