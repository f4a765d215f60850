"""What every operation of the REST API has in common: parse, authenticate, ask, render, refuse.

A view takes a `Call` and the path's parameters and returns an answer. Everything that can be wrong
with a request as such (`fields`, paging, media type, size) is refused before the view runs, so that
nothing is created by a request that then fails.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

from chalice.app import Request, Response

from chalicelib.composition.keyturn import keyturn
from chalicelib.core.audit.idempotency import Replayed, parse_idempotency_key
from chalicelib.core.common.errors import Conflict, Invalid, Refusal, Unauthenticated
from chalicelib.core.common.paging import Window
from chalicelib.rest.contract.contracts import DRY_RUN, NOT_SEARCHED, SEARCH, Contract, Searchable
from chalicelib.telemetry import log_fields
from chalicelib.web import errors
from chalicelib.web.headers import MAX_BODY_BYTES, REPEATED, basic_pair, origin_of, raw_body, sunset

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from chalicelib.composition.keyturn import Keyturn
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.common.search import Search
    from chalicelib.rest.contract import fields

DEFAULT_TOP = 100
MAX_TOP = 100  # one batch of DynamoDB
MAX_SKIP = 10_000
WHICH = frozenset({"id", "type"})
ENVELOPE = frozenset({"skip", "top", "total"})  # Hub's clients may name them among the fields

B = TypeVar("B")
View = Callable[..., Response]


@dataclass(slots=True)
class Call:
    """One request, as far as it is the same for all operations."""

    request: Request
    origin: Origin
    keyturn: Keyturn
    contract: Contract
    selection: fields.Selection | None
    headers: dict[str, str] = field(default_factory=dict)  # of the answer, besides those that every answer has
    asking: Caller | None = None  # if that was found out; answers show them no more than they may see
    dry_run: bool = False  # the answer is what it would be, and nothing is changed

    def caller(self, whatever_scope: bool = False, supplied_secret: str | None = None) -> Caller:
        """Who asks: by `Authorization: Bearer` with a permanent token or a session, or by HTTP Basic with a
        login and an application password. Raises Unauthenticated, InsufficientScope or Throttled.

        `whatever_scope`: also with a permanent token that is not for Keyturn, which may next to nothing; the secret
        that the request supplies (`supplied_secret`) may then be what takes the presented one's place.
        """
        with self.really():  # what is presented is noted as always: a secret that comes back, or was never good
            self.asking = self._identified(whatever_scope, supplied_secret)
        return self.asking

    def as_asked(self) -> AbstractContextManager[None]:
        """What is changed within is changed, or in a dry run only judged."""
        return self.keyturn.stores.dry_run(True) if self.dry_run else nullcontext()

    def really(self) -> AbstractContextManager[None]:
        """What is changed within is changed."""
        return self.keyturn.stores.dry_run(False) if self.dry_run else nullcontext()

    def _identified(self, whatever_scope: bool, supplied_secret: str | None) -> Caller:
        scheme, _, presented = self.request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            authentication = self.keyturn.authentication
            if whatever_scope:
                caller = authentication.caller_any_scope(presented.strip(), self.origin, supplied_secret)
            else:
                caller = authentication.caller(presented.strip(), self.origin)
            log_fields(account=caller.user.id, credential=caller.credential_id)
            self.headers.update(sunset(caller.secret_ends))
            return caller
        pair = basic_pair(presented) if scheme.lower() == "basic" else None
        if pair:
            caller = self.keyturn.authentication.caller_by_password(*pair, self.origin)
            log_fields(account=caller.user.id, credential=caller.credential_id)
            return caller
        raise Unauthenticated(
            "This needs 'Authorization: Bearer <token>', or HTTP Basic with a login and an application password."
        )

    def body(self, kind: type[B]) -> B:
        """The JSON body, of the contract's kind. Where one is needed and none came, that is not an empty object: it
        could be one that a fault has cut off. Raises Invalid, UnsupportedMediaType or BodyTooLarge."""
        assert kind is self.contract.body
        from chalicelib.rest.contract.bodies import decode  # with msgspec, which reading alone does not need

        return decode(self._raw_body(), kind)

    def _raw_body(self) -> bytes:
        if self.contract.bare and not self.request.raw_body:
            return b"{}"
        return raw_body(self.request, "application/json", self.contract.max_bytes)

    def window(self) -> Window:
        """`$skip` and `$top`. Raises Invalid."""
        top = self.number("$top", DEFAULT_TOP)
        skip = self.number("$skip", 0, MAX_SKIP)
        return Window(skip, min(top, MAX_TOP))

    def search(self) -> Search:
        """`query` and `orderBy`. Raises Invalid."""
        from chalicelib.core.common.search import parse

        query, order_by = (parameter(self.request, name) or "" for name in SEARCH)
        allowed = self.contract.search
        return parse(query, order_by, allowed.fields, allowed.traits, allowed.sortable)

    def one(self, thing: object) -> Response:
        """The answer that shows one thing; to who changed it and may not read it, no more than which it is."""
        return errors.answer(self._shown(thing, WHICH))

    def _made(self, thing: object) -> Response:
        shown = self._shown(thing, stored=not self.dry_run)
        if self.dry_run:
            shown.pop("id", None)  # which nothing will have
        return errors.answer(shown)

    def _shown(self, thing: object, outline: frozenset[str] | None = None, stored: bool = True) -> dict[str, object]:
        assert self.contract.shape
        secrets = not self.dry_run
        return self.contract.shape.render(thing, self.selection, self.asking, outline, secrets, stored)

    def many(self, things: Iterable[object], window: Window, total: int) -> Response:
        """The answer that shows a part of the contract's collection, in Hub's envelope."""
        assert self.contract.shape
        assert self.contract.collection
        rendered = [self.contract.shape.render(thing, self.selection, self.asking) for thing in things]
        envelope = {"skip": window.skip, "top": window.top, "total": total}
        return errors.answer({**envelope, self.contract.collection: rendered})

    def cursor_list(self, things: Iterable[object], top: int, after: str | None) -> Response:
        """The answer that shows a part of the contract's list with a cursor, and where to go on."""
        assert self.contract.shape
        assert self.contract.cursor_list
        rendered = [self.contract.shape.render(thing, self.selection, self.asking) for thing in things]
        return errors.answer({"top": top, "after": after, self.contract.cursor_list: rendered})

    def text(self, name: str, form: str) -> str | None:
        """A query parameter that has this form. Raises Invalid."""
        text = parameter(self.request, name)
        if text is not None and not re.fullmatch(form, text, re.ASCII):
            raise Invalid(name, f"must have the form {form}.")
        return text

    def number(self, name: str, default: int, highest: int = 10**9) -> int:
        """A query parameter that is a whole number. Raises Invalid."""
        text = parameter(self.request, name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit()) or len(text) > 18 or int(text) > highest:
            raise Invalid(name, f"must be a whole number from 0 to {highest}.")
        return int(text)

    def create(self, caller: Caller, make: Callable[[Caller], object], look_up: Callable[[str], object]) -> Response:
        """The answer to a request that creates something, which a client may send again.

        With the header `Idempotency-Key`, a repetition makes nothing: it is answered with what the
        first request made, looked up by its id.
        """
        assert self.contract.creates
        key = self.request.headers.get("idempotency-key")
        if key is None:
            return self._made(make(caller))
        idempotency_key = parse_idempotency_key(key, self._fingerprint())
        made = self.keyturn.idempotent_replay.made_by(caller.user.id, idempotency_key)
        if made is None:
            try:
                return self._made(make(replace(caller, idempotency_key=idempotency_key)))
            except (Replayed, Conflict) as refusal:  # perhaps because of the same request, which ran beside this one
                made = self.keyturn.idempotent_replay.made_by(caller.user.id, idempotency_key)
                if made is None and isinstance(refusal, Conflict):
                    raise
        response = self._made(look_up(made or ""))
        response.headers["Idempotency-Replayed"] = "true"
        return response

    def _fingerprint(self) -> str:
        body = self._raw_body() if self.contract.body else b""
        asked = f"{self.request.method} {self.request.path} {sorted((self.request.uri_params or {}).items())} "
        return hashlib.sha256(asked.encode() + body).hexdigest()


def parameter(request: Request, name: str) -> str | None:
    """A query parameter, or None."""
    if request.query_params is None:
        return None
    value: str | None = request.query_params.get(name)
    return value


def operation(
    shape: fields.Shape | None = None,
    body: type | None = None,
    collection: str | None = None,
    query: tuple[str, ...] = (),
    creates: bool = False,
    search: Searchable = NOT_SEARCHED,
    cursor_list: str | None = None,
    bare: bool = False,
    dry_run: bool = True,
    max_bytes: int = MAX_BODY_BYTES,
) -> Callable[[View], View]:
    """Make a function of a `Call` and path parameters into a view that keeps this `Contract`."""
    contract = Contract(shape, body, collection, query, creates, search, cursor_list, bare, dry_run, max_bytes)

    def wrap(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, **path_parameters: str) -> Response:
            try:
                # A gateway may or may not have decoded them. Ids, logins and keys hold no per cent sign; a group
                # whose name looks encoded is found by its id.
                call = _call(request, contract)
                with call.as_asked():
                    response = view(call, **{name: unquote(text) for name, text in path_parameters.items()})
                response.headers.update(call.headers)
                return response
            except Refusal as refusal:
                return errors.refused(refusal)
            except Exception as error:
                return errors.failed(error)

        guarded.contract = contract  # type: ignore[attr-defined]
        return guarded

    return wrap


def _call(request: Request, contract: Contract) -> Call:
    query = request.query_params
    for name in query or ():
        if name not in contract.parameters(request.method):
            raise Invalid(name, "is not a parameter of this operation.")
        if query and len(query.getlist(name)) > 1:
            raise Invalid(name, REPEATED)
        if name in SEARCH and parameter(request, name) and not contract.search.supports(name):
            raise Invalid(name, "is not supported for this collection.")
    selection = None
    text = parameter(request, "fields")
    if contract.shape and text:
        from chalicelib.rest.contract import fields

        parsed = fields.parse(text)
        selection = {name: inner for name, inner in parsed.items() if name not in ENVELOPE or inner is not None}
        contract.shape.check(selection)
    return Call(request, origin_of(request), keyturn(), contract, selection, dry_run=_is_dry_run(request))


def _is_dry_run(request: Request) -> bool:
    text = parameter(request, DRY_RUN)
    if text not in (None, "true", "false"):
        raise Invalid(DRY_RUN, "must be true or false.")
    return text == "true"
