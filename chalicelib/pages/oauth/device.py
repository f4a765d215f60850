"""`/oauth2/device`: where a user types in the code that a device shows (RFC 8628 section 3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from chalicelib.core.common.errors import Invalid, NotFound
from chalicelib.core.oauth.delegations import normal_user_code
from chalicelib.oauth import routes
from chalicelib.pages.frame import browser
from chalicelib.pages.frame.render import page
from chalicelib.pages.frame.views import for_people
from chalicelib.pages.login.login import LoginForm, login_page
from chalicelib.pages.oauth.consent import confirmed, consent_page, require_as_shown

if TYPE_CHECKING:
    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.web.request import FormRequest


@for_people
def ask(request: FormRequest) -> Response:
    typed = request.value("user_code") or ""
    caller = browser.logged_in(request)
    if caller is None:
        return login_page(request, login_form(request, typed))
    if not typed:
        return _entry_page(request, caller)
    try:
        return _consent_page(request, caller, typed)
    except NotFound:
        return _entry_page(request, caller, "No device is waiting with this code. It may have expired.")
    except Invalid as refusal:
        return _entry_page(request, caller, str(refusal))


@for_people
def decide(request: FormRequest) -> Response:
    caller, user_code, state = confirmed(request)
    devices = request.oauth.devices
    approved, waiting = request.value("decision") == "approve", devices.waiting(caller, user_code)
    if approved:
        require_as_shown(waiting.client, waiting.offline, state)
    devices.decide(caller, waiting, approved)
    text = "You can go back to your device." if approved else "The device was denied access."
    return page(request, "message", {"title": "Approved" if approved else "Denied", "text": text}, caller=caller)


def login_form(request: FormRequest, typed: str) -> LoginForm:
    """The form that leads back to the code."""
    query = urlencode({"user_code": typed})
    issuer = request.oauth.issuer
    return LoginForm(issuer + routes.LOGIN, f"device?{query}", f"{issuer}{routes.DEVICE}?{query}")


def _entry_page(request: FormRequest, caller: Caller, refused: str = "") -> Response:
    values = {"refused": refused, "action": request.oauth.issuer + routes.DEVICE}
    return page(request, "device", values, caller=caller)


def _consent_page(request: FormRequest, caller: Caller, typed: str) -> Response:
    """Always asked, also for trusted services: somebody else may have sent the code (RFC 8628 section 5.4)."""
    waiting = request.oauth.devices.waiting(caller, typed)
    code = normal_user_code(typed)
    shown = f"{code[:4]}-{code[4:]}"
    return consent_page(request, caller, waiting.client, waiting.scope, waiting.offline, routes.DEVICE, code, shown)
