"""What all pages have in common: who may see them, and errors are pages."""

from __future__ import annotations

import functools
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlencode

from chalicelib.core.common.errors import Conflict, Forbidden, Invalid, LoginTooOld, NotFound, Refusal
from chalicelib.pages.frame.browser import LoginNeeded, logged_in, require_login, submitted
from chalicelib.pages.frame.render import page, plain_page, redirect
from chalicelib.web.errors import failed, refused
from chalicelib.web.request import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.app import Request, Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.web.request import FormRequest

    View = Callable[..., Response]

FIRST_STEPS = "/users/{user}/authentication"  # where somebody gets who has yet to add a second factor


def for_people(view: View) -> View:
    """Refusals are pages. What lies in the path comes as it was before it was quoted."""

    @functools.wraps(view)
    def guarded(request: Request, **path: str) -> Response:
        form_request = None
        try:
            form_request = read(request)
            return view(form_request, **{name: unquote(text) for name, text in path.items()})
        except Refusal as refusal:
            return _error_page(form_request, refusal)
        except Exception as error:
            failed(error)
            return plain_page("Request failed", "Keyturn had an internal error. Details are in its log.", 500)

    return guarded


def for_users(view: View) -> View:
    """Only whoever is logged in sees the page; `view` learns who that is."""

    @for_people
    @functools.wraps(view)
    def guarded(form_request: FormRequest, **path: str) -> Response:
        caller = require_login(form_request)
        if caller.second_factor_missing and not form_request.http.path.startswith(FIRST_STEPS):
            return redirect(form_request, "users", caller.user.id, "authentication")
        return view(form_request, caller, **path)

    return guarded


def form(view: View) -> View:
    """Only a form of a page that was made for whoever is logged in leads here."""

    @for_people
    @functools.wraps(view)
    def guarded(form_request: FormRequest, **path: str) -> Response:
        return view(form_request, submitted(form_request), **path)

    return guarded


def unless_refused(do: Callable[[], Response], again: Callable[[Refusal], Response]) -> Response:
    """What `do` answers; or, where what somebody filled in is refused, the form `again`, with what they filled in."""
    try:
        return do()
    except (LoginTooOld, LoginNeeded):
        raise
    except (Invalid, Conflict, Forbidden, NotFound) as refusal:
        response = again(refusal)
        response.status_code = refused(refusal).status_code
        return response


def _error_page(form_request: FormRequest | None, refusal: Refusal) -> Response:
    answer = refused(refusal) if not isinstance(refusal, LoginNeeded) else None
    if form_request is None or not form_request.keyturn.settings.address:
        return plain_page("Request failed", str(refusal), answer.status_code if answer else HTTPStatus.FORBIDDEN)
    if isinstance(refusal, LoginNeeded | LoginTooOld):
        return redirect(
            form_request, "login", next=_here(form_request), again=1 if isinstance(refusal, LoginTooOld) else None
        )
    assert answer
    values = {"title": "Request failed", "text": str(refusal)}
    response = page(form_request, "message", values, caller=_known(form_request), status=answer.status_code)
    if "Retry-After" in answer.headers:
        response.headers["Retry-After"] = answer.headers["Retry-After"]
    return response


def _known(form_request: FormRequest) -> Caller | None:
    try:
        return logged_in(form_request)
    except Refusal:
        return None


def _here(form_request: FormRequest) -> str:
    """The page that is asked for, below Keyturn's own address. A form's has the same address as its page."""
    path: str = form_request.http.path
    for name, text in (form_request.http.uri_params or {}).items():
        path = path.replace(f"{{{name}}}", quote(unquote(text), safe=""))
    query = urlencode(form_request.pairs) if form_request.http.method == "GET" else ""
    return f"{path}?{query}" if query else path
