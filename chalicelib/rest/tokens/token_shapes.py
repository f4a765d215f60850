"""How permanent tokens look from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.tokens.token import DETAILS
from chalicelib.rest.contract.fields import Field, Kind, Shape
from chalicelib.rest.contract.shapes import (
    REFERENCE,
    SECRET,
    SECRET_WAS_SHOWN,
    USER,
    NamedReference,
    SecretView,
    secret_views,
    service_reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.directory.service import Service
    from chalicelib.core.tokens.health import TokenFlags
    from chalicelib.core.tokens.manage import OwnedToken
    from chalicelib.core.tokens.token import Detail, LastUse


@dataclass(frozen=True, slots=True)
class LastUseView:
    """How a token was used last, with the service where that was."""

    use: LastUse
    service: NamedReference | None


@dataclass(frozen=True, slots=True)
class TokenView:
    """A token with the services that its scope may name."""

    owned: OwnedToken
    services: Mapping[str, Service]
    all_flags: Callable[[], Mapping[str, TokenFlags]]  # of tokens read together; only for answers that show it
    all_authors: Callable[[], Mapping[str, User]]  # the same, those that the caller may read

    def flags(self) -> TokenFlags:
        """What there is to know of it."""
        return self.all_flags()[self.owned.token.id]

    def author_login(self) -> str | None:
        """By which its creator can be told from others of the same name."""
        author = self.all_authors().get(self.owned.token.author_id)
        return author.login if author else None

    def last_use(self) -> LastUseView | None:
        """How it was used last."""
        use = self.owned.token.last_use
        if use is None:
            return None
        place = use.service_id
        return LastUseView(use, service_reference(place, self.services.get(place)) if place else None)

    def secrets(self) -> list[SecretView]:
        """All its secrets. None lives longer than the token."""
        return secret_views(self.owned.token.secrets, self.owned.token.expires)

    def scope(self) -> list[NamedReference]:
        """The scope; a service that was deleted or may not be seen is there by its id alone."""
        return [service_reference(id, self.services.get(id)) for id in self.owned.token.scope]


def _reads_token(caller: Caller, view: TokenView) -> bool:
    presented = view.owned.token.id == caller.credential_id
    operation = Operation.READ_CURRENT_TOKEN if presented else Operation.READ_TOKENS
    return caller.is_allowed(operation, view.owned.owner.id)


LAST_USE = Shape(
    "lastuse",
    {
        "type": Field(lambda view: "lastUse"),
        "address": Field(lambda view: view.use.address, Kind.MAYBE_TEXT),
        "userAgent": Field(lambda view: view.use.agent, Kind.MAYBE_TEXT),
        "service": Field(lambda view: view.service, Kind.MAYBE_ONE, REFERENCE),
    },
)


def _detail(name: str, detail: Detail) -> Field:
    def value(view: TokenView) -> object:
        found = getattr(view.owned.token.details, name)
        return list(found or ()) if detail.is_list else found

    return Field(value, Kind.LINES if detail.is_list else Kind.MAYBE_TEXT)


# Hub has none of these: an answer holds them only if they are asked for.
_lifecycle = {
    "authorLogin": Field(lambda view: view.author_login(), Kind.MAYBE_TEXT),
    "rotationTime": Field(lambda view: view.owned.token.rotated, Kind.MAYBE_TIME),
    **{name: _detail(name, detail) for name, detail in DETAILS.items()},
    "endsOn": Field(lambda view: view.flags().projection.refused, Kind.MAYBE_TIME),
    "flags": Field(lambda view: [flag.value for flag in view.flags().flags], Kind.LINES),
    "lastUse": Field(lambda view: view.last_use(), Kind.MAYBE_ONE, LAST_USE),
    "secrets": Field(lambda view: view.secrets(), Kind.MANY, SECRET),
}


PERMANENT_TOKEN = Shape(
    "permanenttoken",
    {
        "id": Field(lambda view: view.owned.token.id),
        "type": Field(lambda view: "permanentToken"),
        "name": Field(lambda view: view.owned.token.name),
        "scope": Field(lambda view: view.scope(), Kind.MANY, REFERENCE),
        "user": Field(lambda view: view.owned.owner, Kind.ONE, USER),
        "author": Field(
            lambda view: NamedReference(view.owned.token.author_id, view.owned.token.author_name, "user"),
            Kind.ONE,
            REFERENCE,
        ),
        "creationTime": Field(lambda view: view.owned.token.created, Kind.TIME),
        "lastAccessTime": Field(lambda view: view.owned.token.last_used, Kind.MAYBE_TIME),
        "expiresOn": Field(lambda view: view.owned.token.expires, Kind.MAYBE_TIME),
        **{name: replace(field, in_default=False) for name, field in _lifecycle.items()},
    },
    readable=_reads_token,
    outline=frozenset({"id", "type", "name", "user"}),
)


LISTED_TOKEN = Shape("permanenttokeninalist", {**PERMANENT_TOKEN.fields, **_lifecycle})


def _with_secret(name: str, remedy: str, readable: Callable[[Caller, TokenView], bool] | None = None) -> Shape:
    """Only the answer that makes a secret has it, even if the client names no fields."""
    notice = SECRET_WAS_SHOWN.format(remedy=remedy)
    return Shape(
        name,
        {
            **PERMANENT_TOKEN.fields,
            "token": Field(lambda view: view.owned.secret, Kind.MAYBE_TEXT, secret=True),
            "notice": Field(lambda view: None if view.owned.secret else notice, Kind.MAYBE_TEXT),
        },
        readable=readable,
        outline=PERMANENT_TOKEN.outline | {"token", "notice"},
    )


# Whoever creates a token has said all that is in it.
CREATED_TOKEN = _with_secret("createdpermanenttoken", "delete the token and create another with a new key")


ROTATED_TOKEN = _with_secret("rotatedpermanenttoken", "rotate again with a new key", _reads_token)


TOKEN_COMPARISON = Shape(
    "tokencomparison",
    {
        "id": Field(lambda compared: compared[0].token.id),
        "type": Field(lambda compared: "tokenComparison"),
        "current": Field(lambda compared: compared[1], Kind.FLAG),
    },
)
