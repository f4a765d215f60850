"""The page that asks a user whether a service may act for them, by a browser or by a device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Forbidden
from chalicelib.core.common.time import DAY_MS
from chalicelib.core.oauth.access_tokens import CLAIM_SCOPES
from chalicelib.core.oauth.delegations import APPROVAL_LIFETIME_MS
from chalicelib.pages.frame import browser
from chalicelib.pages.frame.render import page

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.scopes import RequestedScope
    from chalicelib.web.request import FormRequest


def consent_page(
    request: FormRequest,
    caller: Caller,
    client: Service,
    scope: RequestedScope,
    offline: bool,
    endpoint: str,
    asked: str,
    user_code: str | None = None,
    leads_to: str | None = None,
) -> Response:
    """`asked` comes back to `endpoint` with the user's decision, and proves what was shown (`confirmed`)."""
    shown = f"{_state(client, offline)} {asked}"
    values = {
        "client": client,
        "user": caller.user,
        "services": [scope.services[value] for value in scope.values if value in scope.services],
        "claims": CLAIM_SCOPES & set(scope.values),
        "offline": offline,
        "user_code": user_code,
        "days": APPROVAL_LIFETIME_MS // DAY_MS,
        "action": request.oauth.issuer + endpoint,
        "asked": shown,
        "proof_of_asked": browser.proof(request, caller, shown),
    }
    return page(request, "consent", values, caller=caller, leads_to=leads_to)


def confirmed(request: FormRequest) -> tuple[Caller, str, str]:
    """Who decided, what they were asked, and how the service was then (`require_as_shown`). Raises Forbidden."""
    caller, shown = browser.confirmed(request)
    state, _, asked = shown.partition(" ")
    return caller, asked, state


def require_as_shown(client: Service, offline: bool, state: str) -> None:
    """Raises Forbidden if the service gets its codes elsewhere, or for longer, than when its user was asked."""
    if state != _state(client, offline):
        raise Forbidden("The service was changed after you were asked. Go back to the service and start again.")


def _state(client: Service, offline: bool) -> str:
    return f"{client.redirects_changed}.{int(offline)}"
