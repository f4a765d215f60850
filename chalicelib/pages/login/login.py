"""`/login` and `/logout`: a password, a second factor if there is one, and a session in a cookie.

Services send their users through the same steps (`pages/oauth/login.py`).
"""

from __future__ import annotations

import binascii
import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid, LoginRefused, SecondFactorLocked, SecondFactorRequired
from chalicelib.core.login.log_in import LoginAttempt
from chalicelib.pages.frame import browser
from chalicelib.pages.frame.render import link, page, redirect
from chalicelib.pages.frame.views import for_people, form
from chalicelib.web.login_timing import evenly_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from chalice.app import Response

    from chalicelib.core.access.caller import Caller
    from chalicelib.web.request import FormRequest

TICKET = "login form"
TICKET_LIFETIME_MS = 5 * 60_000
HOME = "/"
PASSKEY_OPTIONS = ("api", "rest", "login", "passkey")
EXPIRED = "The login has timed out. Enter your password again."


@dataclass(frozen=True, slots=True)
class LoginForm:
    """Where the form is sent, what it carries to get on afterwards (`next`), and for whose sake.

    `beginning`: the address of its first step; `leads_to`: one outside to which it may lead.
    """

    action: str
    next: str
    beginning: str
    client: str | None = None
    leads_to: str | None = None
    again: bool = False


class TicketExpired(Exception):
    """The password has to be typed in again."""


@for_people
def ask(request: FormRequest) -> Response:
    """The page with the form."""
    return login_page(request, _form(request))


@for_people
def log_in(request: FormRequest) -> Response:
    """The next step, or the page for the sake of which somebody logs in."""
    return answered(request, _form(request), lambda: _on(request))


@form
def log_out(request: FormRequest, caller: Caller) -> Response:
    """Here, or, if the form says `everywhere`, in every browser and program."""
    everywhere = request.value("everywhere") is not None
    if everywhere:
        request.keyturn.sessions.end_all(caller, caller.user.id)
    else:
        browser.end_session(request)
    return logged_out(request, "logged-out-everywhere" if everywhere else "logged-out")


def logged_out(request: FormRequest, done: str) -> Response:
    """On to the login; the browser forgets a session that has ended. `done` is the word of a notice."""
    response = redirect(request, "login", done=done)
    response.headers["Set-Cookie"] = browser.no_cookie(request)
    return response


def login_page(
    request: FormRequest, form: LoginForm, problem: str = "", login: str = "", status: int = 200
) -> Response:
    """The first step."""
    values = {"form": form, "refused": problem, "login": login, "passkeys": link(request, *PASSKEY_OPTIONS)}
    return page(request, "login", values, status=status, leads_to=form.leads_to)


def answered(request: FormRequest, form: LoginForm, done: Callable[[], Response]) -> Response:
    """What follows on a step of the login: the next one, the same once more, or what is `done` when all are."""
    browser.require_own_page(request)
    login = request.value("login") or ""
    try:
        attempt = _attempt(request)
        with evenly_refused():
            opened = request.keyturn.login.log_in(attempt, request.origin)
    except TicketExpired:
        return login_page(request, form, EXPIRED, login, HTTPStatus.UNAUTHORIZED)
    except SecondFactorRequired as refusal:
        return _second_step(request, form, attempt, refusal.methods)
    except SecondFactorLocked as refusal:
        return _second_step(request, form, attempt, refusal.methods, str(refusal))
    except LoginRefused as refusal:
        if request.value("ticket"):
            return _second_step(request, form, attempt, request.values("method"), "Incorrect second factor. Try again.")
        return login_page(request, form, str(refusal), login, HTTPStatus.UNAUTHORIZED)
    browser.end_session(request)  # what may have been planted in this browser is worth nothing
    response = done()
    response.headers["Set-Cookie"] = browser.session_cookie(request, opened)
    return response


def _second_step(
    request: FormRequest, form: LoginForm, attempt: LoginAttempt, methods: Sequence[str], problem: str = ""
) -> Response:
    values = {
        "form": form,
        "refused": problem,
        "login": attempt.login,
        "methods": methods,
        "ticket": request.value("ticket") or _ticket(request, attempt),
        "passkeys": link(request, *PASSKEY_OPTIONS),
    }
    return page(request, "second-factor", values, status=HTTPStatus.UNAUTHORIZED, leads_to=form.leads_to)


def _attempt(request: FormRequest) -> LoginAttempt:
    """What was filled in. Raises Invalid or TicketExpired."""
    login, password, ticket = request.value("login"), request.value("password"), request.value("ticket")
    passkey = browser.credential(request, "passkey") if request.value("passkey") else None
    if ticket:
        login, password = _in_ticket(request, ticket)
    elif passkey is None and (login is None or password is None):
        raise Invalid("login" if login is None else "password", "is required.")
    return LoginAttempt(login, password, request.value("code"), passkey)


def _ticket(request: FormRequest, attempt: LoginAttempt) -> str:
    """The password that was right, readable by Keyturn alone and for minutes, so that the second step needs not
    ask for it again, nor anything be stored for it."""
    until = request.origin.now + TICKET_LIFETIME_MS
    return request.keyturn.keyring.encrypt(json.dumps([until, attempt.login, attempt.password]), TICKET)


def _in_ticket(request: FormRequest, ticket: str) -> tuple[str, str]:
    from cryptography.exceptions import InvalidTag

    from chalicelib.core.secrets.keyring import UnknownKey

    try:
        until, login, password = json.loads(request.keyturn.keyring.decrypt(ticket, TICKET))
    except (UnknownKey, InvalidTag, binascii.Error, ValueError):
        raise TicketExpired from None
    if request.origin.now > until:
        raise TicketExpired
    return login, password


def _form(request: FormRequest) -> LoginForm:
    next, again = _next(request), request.value("again") is not None
    return LoginForm(link(request, "login"), next, link(request, "login", next=next), again=again)


def _next(request: FormRequest) -> str:
    """Where to go on, below Keyturn's own address. Raises Invalid."""
    wanted = request.value("next") or HOME
    if not wanted.startswith("/") or not wanted.isascii() or not wanted.isprintable() or "\\" in wanted:
        raise Invalid("next", "must be a page of Keyturn.")
    return wanted


def _on(request: FormRequest) -> Response:
    response = redirect(request)
    response.headers["Location"] = browser.address(request) + _next(request)
    return response
