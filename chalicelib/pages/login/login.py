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
    from chalicelib.web.request import Message

TICKET = "login form"
TICKET_LIFETIME_MS = 5 * 60_000
HOME = "/"
PASSKEY_OPTIONS = ("api", "rest", "login", "passkey")
EXPIRED = "That took too long. Type in your password again."


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
def ask(message: Message) -> Response:
    """The page with the form."""
    return login_page(message, _form(message))


@for_people
def log_in(message: Message) -> Response:
    """The next step, or the page for the sake of which somebody logs in."""
    return answered(message, _form(message), lambda: _on(message))


@form
def log_out(message: Message, caller: Caller) -> Response:
    """Here, or, if the form says `everywhere`, in every browser and program."""
    everywhere = message.value("everywhere") is not None
    if everywhere:
        message.keyturn.sessions.end_all(caller, caller.user.id)
    else:
        browser.end_session(message)
    return logged_out(message, "logged-out-everywhere" if everywhere else "logged-out")


def logged_out(message: Message, done: str) -> Response:
    """On to the login; the browser forgets a session that has ended. `done` is the word of a notice."""
    response = redirect(message, "login", done=done)
    response.headers["Set-Cookie"] = browser.no_cookie(message)
    return response


def login_page(message: Message, form: LoginForm, problem: str = "", login: str = "", status: int = 200) -> Response:
    """The first step."""
    values = {"form": form, "refused": problem, "login": login, "passkeys": link(message, *PASSKEY_OPTIONS)}
    return page(message, "login", values, status=status, leads_to=form.leads_to)


def answered(message: Message, form: LoginForm, done: Callable[[], Response]) -> Response:
    """What follows on a step of the login: the next one, the same once more, or what is `done` when all are."""
    browser.require_own_page(message)
    login = message.value("login") or ""
    try:
        attempt = _attempt(message)
        with evenly_refused():
            opened = message.keyturn.login.log_in(attempt, message.origin)
    except TicketExpired:
        return login_page(message, form, EXPIRED, login, HTTPStatus.UNAUTHORIZED)
    except SecondFactorRequired as refusal:
        return _second_step(message, form, attempt, refusal.methods)
    except SecondFactorLocked as refusal:
        return _second_step(message, form, attempt, refusal.methods, str(refusal))
    except LoginRefused as refusal:
        if message.value("ticket"):
            return _second_step(message, form, attempt, message.values("method"), "That was not right. Try again.")
        return login_page(message, form, str(refusal), login, HTTPStatus.UNAUTHORIZED)
    browser.end_session(message)  # what may have been planted in this browser is worth nothing
    response = done()
    response.headers["Set-Cookie"] = browser.session_cookie(message, opened)
    return response


def _second_step(
    message: Message, form: LoginForm, attempt: LoginAttempt, methods: Sequence[str], problem: str = ""
) -> Response:
    values = {
        "form": form,
        "refused": problem,
        "login": attempt.login,
        "methods": methods,
        "ticket": message.value("ticket") or _ticket(message, attempt),
        "passkeys": link(message, *PASSKEY_OPTIONS),
    }
    return page(message, "second-factor", values, status=HTTPStatus.UNAUTHORIZED, leads_to=form.leads_to)


def _attempt(message: Message) -> LoginAttempt:
    """What was filled in. Raises Invalid or TicketExpired."""
    login, password, ticket = message.value("login"), message.value("password"), message.value("ticket")
    passkey = browser.credential(message, "passkey") if message.value("passkey") else None
    if ticket:
        login, password = _in_ticket(message, ticket)
    elif passkey is None and (login is None or password is None):
        raise Invalid("login" if login is None else "password", "is required.")
    return LoginAttempt(login, password, message.value("code"), passkey)


def _ticket(message: Message, attempt: LoginAttempt) -> str:
    """The password that was right, readable by Keyturn alone and for minutes, so that the second step needs not
    ask for it again, nor anything be stored for it."""
    until = message.origin.now + TICKET_LIFETIME_MS
    return message.keyturn.keyring.encrypt(json.dumps([until, attempt.login, attempt.password]), TICKET)


def _in_ticket(message: Message, ticket: str) -> tuple[str, str]:
    from cryptography.exceptions import InvalidTag

    from chalicelib.core.secrets.keyring import UnknownKey

    try:
        until, login, password = json.loads(message.keyturn.keyring.decrypt(ticket, TICKET))
    except (UnknownKey, InvalidTag, binascii.Error, ValueError):
        raise TicketExpired from None
    if message.origin.now > until:
        raise TicketExpired
    return login, password


def _form(message: Message) -> LoginForm:
    next, again = _next(message), message.value("again") is not None
    return LoginForm(link(message, "login"), next, link(message, "login", next=next), again=again)


def _next(message: Message) -> str:
    """Where to go on, below Keyturn's own address. Raises Invalid."""
    wanted = message.value("next") or HOME
    if not wanted.startswith("/") or not wanted.isascii() or not wanted.isprintable() or "\\" in wanted:
        raise Invalid("next", "must be a page of Keyturn.")
    return wanted


def _on(message: Message) -> Response:
    response = redirect(message)
    response.headers["Location"] = browser.address(message) + _next(message)
    return response
