"""`/users/{user}/refreshtokens` and `/users/{user}/approvedscopes`: what OAuth 2.0 made, to be looked at and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.rest.contract.endpoint import Call, operation
from chalicelib.rest.oauth.oauth_shapes import APPROVED_SCOPE, REFRESH_TOKEN, GrantedView
from chalicelib.web.errors import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.oauth.approved_scopes import OwnedApproval
    from chalicelib.core.oauth.manage_delegations import OwnedDelegation


@operation(REFRESH_TOKEN, collection="refreshtokens")
def list_refresh_tokens(call: Call, user: str) -> Response:
    window = call.window()
    caller = call.caller()
    page = call.keyturn.oauth.delegations.page(caller, user, window)
    return call.many(refresh_token_views(call, caller, page.items), window, page.total)


@operation(REFRESH_TOKEN)
def get_refresh_token(call: Call, user: str, token: str) -> Response:
    caller = call.caller()
    owned = call.keyturn.oauth.delegations.get(caller, user, token)
    return call.one(refresh_token_views(call, caller, [owned])[0])


@operation()
def delete_refresh_token(call: Call, user: str, token: str) -> Response:
    call.keyturn.oauth.delegations.delete(call.caller(), user, token)
    return answer({})


@operation(APPROVED_SCOPE, collection="approvedscopes")
def list_approved_scopes(call: Call, user: str) -> Response:
    window = call.window()
    caller = call.caller()
    page = call.keyturn.oauth.approved_scopes.page(caller, user, window)
    return call.many(approved_scope_views(call, caller, page.items), window, page.total)


@operation(APPROVED_SCOPE)
def get_approved_scope(call: Call, user: str, approval: str) -> Response:
    caller = call.caller()
    owned = call.keyturn.oauth.approved_scopes.get(caller, user, approval)
    return call.one(approved_scope_views(call, caller, [owned])[0])


@operation()
def delete_approved_scope(call: Call, user: str, approval: str) -> Response:
    call.keyturn.oauth.approved_scopes.delete(call.caller(), user, approval)
    return answer({})


def refresh_token_views(call: Call, caller: Caller, owned: Sequence[OwnedDelegation]) -> list[GrantedView]:
    """The refresh tokens with the services that they name, read together."""
    services = call.keyturn.services.resolve(
        {id for each in owned for id in (each.delegation.client_id, *each.delegation.scope)}
    )
    shown = call.keyturn.services.shown
    return [GrantedView(each.delegation, each.owner, shown(caller, services, each.owner.id)) for each in owned]


def approved_scope_views(call: Call, caller: Caller, owned: Sequence[OwnedApproval]) -> list[GrantedView]:
    """The approved scopes with the services that they name, read together."""
    services = call.keyturn.services.resolve(
        {id for each in owned for id in (each.approval.client_id, *each.approval.scope)}
    )
    shown = call.keyturn.services.shown
    return [GrantedView(each.approval, each.owner, shown(caller, services, each.owner.id)) for each in owned]
