"""From a template to an answer, and what a browser may do with it: next to nothing.

Sources: CSP Level 3; Trusted Types; OWASP's Secure Headers.
"""

from __future__ import annotations

import datetime
import functools
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from chalice.app import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.identifiers import EVERYWHERE
from chalicelib.core.oauth.access_tokens import EMAIL, OPENID, PROFILE
from chalicelib.pages.frame import assets, browser
from chalicelib.pages.frame.notices import notice
from chalicelib.web.errors import SECURITY_HEADERS

FOLDER = Path(__file__).parents[1] / "templates"
FIELDS = {"profile.email.email": "email"}  # of forms, by what the core calls them, where that differs
CLAIMS = {OPENID: "identity", PROFILE: "name and login", EMAIL: "e-mail address"}

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.errors import Refusal
    from chalicelib.web.request import FormRequest


@dataclass(frozen=True, slots=True)
class Dialog:
    """What a page asks or tells before one goes on: a template, and where one gets if one does not."""

    template: str
    back: str
    values: Mapping[str, object] = field(default_factory=dict)
    version: str = ""  # of what a form shows of a thing (`pages.frame.editing`)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why what somebody filled in was refused, and the field of the form that is at fault, if one is."""

    text: str
    field: str | None = None

    @classmethod
    def of(cls, refusal: Refusal) -> Problem:
        """In the words of the core, without its name for the field, since a page shows them beside it."""
        path = getattr(refusal, "field", None)
        text = str(refusal).removeprefix(f"{path}: ")
        text = text[:1].upper() + text[1:]
        if path is None:
            return cls(text)
        place = re.fullmatch(r"(?P<name>\w+)(\[(?P<index>\d+)\])?(\..*)?", path)
        if place is None:
            return cls(text)
        if place["index"]:
            text = f"{text} (Line {int(place['index']) + 1}.)"
        return cls(text, FIELDS.get(path, place["name"]))


def page(
    request: FormRequest,
    name: str,
    values: Mapping[str, object],
    *,
    caller: Caller | None = None,
    dialog: Dialog | None = None,
    problem: Refusal | None = None,
    status: int = HTTPStatus.OK,
    leads_to: str | None = None,
) -> Response:
    """The page `name`, with what everybody sees who is logged in as `caller`.

    `problem`: why what was sent with a form was refused; `leads_to`: where a form may end up besides here, since
    browsers watch over redirects too.
    """
    frame: dict[str, object] = {
        "caller": caller,
        "dialog": dialog,
        "problem": Problem.of(problem) if problem else None,
        "notice": notice(request.values("done")) if request.http.method == "GET" else None,
        "link": functools.partial(link, request),
        "proof": browser.proof(request, caller) if caller else "",
        "now": request.origin.now,
    }
    html = _environment().get_template(f"{name}.html").render({**frame, **values, **(dialog.values if dialog else {})})
    return Response(html, _headers(request, leads_to), int(status))


def plain_page(title: str, text: str, status: int) -> Response:
    """A page for when not even the request could be read."""
    html = _environment().get_template("plain.html").render(title=title, text=text)
    policy = {"Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"}
    return Response(html, {**SECURITY_HEADERS, "Content-Type": "text/html; charset=utf-8", **policy}, int(status))


def link(request: FormRequest, *segments: str, **query: object) -> str:
    """The address of a page below Keyturn's own, from the host on."""
    path = "".join(f"/{quote(segment, safe='')}" for segment in segments) or "/"
    wanted = {name: value for name, value in query.items() if value not in (None, "", False)}
    return base(request) + path + (f"?{urlencode(wanted, doseq=True)}" if wanted else "")


def redirect(request: FormRequest, *segments: str, **query: object) -> Response:
    """On to another page (after a form, so that going back and loading again do nothing twice)."""
    return Response(
        "",
        {**SECURITY_HEADERS, "Content-Type": "text/html", "Location": link(request, *segments, **query)},
        HTTPStatus.SEE_OTHER,
    )


def base(request: FormRequest) -> str:
    """The path under which Keyturn is found, which is empty unless it shares its host."""
    return urlsplit(browser.address(request)).path


def _headers(request: FormRequest, leads_to: str | None) -> dict[str, str | list[str]]:
    targets = " ".join(("'self'", *([_origin(leads_to)] if leads_to else [])))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    headers: dict[str, str | list[str]] = {
        **SECURITY_HEADERS,
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        # The address may hold what a service asks for; but a form has to show where it comes from.
        "Referrer-Policy": "same-origin",
    }
    if browser.is_secure(request):
        headers["Strict-Transport-Security"] = "max-age=63072000"
    return headers


def _origin(uri: str) -> str:
    parts = urlsplit(uri)
    if ":" in (parts.hostname or ""):  # a policy cannot name an IPv6 address
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        auto_reload=False,  # what is deployed does not change
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    environment.globals.update(
        asset=assets.path_of,
        icon=assets.icon,
        is_allowed=_is_allowed,
        EVERYWHERE=EVERYWHERE,
        claims=CLAIMS,
    )
    environment.filters.update(machine_time=_machine_time, readable_time=_readable_time)
    return environment


def _is_allowed(caller: Caller, operation: str, subject_id: str | None = None, scope_id: str = EVERYWHERE) -> bool:
    return caller.is_allowed_after_relogin(Operation[operation], subject_id, scope_id)


def _moment(milliseconds: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)


def _machine_time(milliseconds: int) -> str:
    return _moment(milliseconds).isoformat(timespec="seconds").replace("+00:00", "Z")


def _readable_time(milliseconds: int) -> str:
    """For browsers without JavaScript; the others show it in their reader's zone and language."""
    moment = _moment(milliseconds)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"
