"""How things look from outside: the fields of Hub's contract, and where each comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.time import earliest
from chalicelib.rest.contract.fields import Field, Kind, Shape

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.directory.service import Service
    from chalicelib.core.secrets.previous_secrets import Secrets


@dataclass(frozen=True, slots=True)
class NamedReference:
    """Something elsewhere, of which only this much is known here."""

    id: str
    name: str | None
    type: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class SecretView:
    """From when to when a secret is good; the secret itself is nowhere."""

    since: int
    until: int | None


def secret_views(secrets: Secrets[Any] | None, ends: int | None = None) -> list[SecretView]:
    """The earlier secrets that have not been forgotten, oldest first, and the current one; all end at `ends`, if that
    is given."""
    if secrets is None:
        return []
    previous = [SecretView(each.since, earliest((each.until, ends))) for each in secrets.previous_secrets]
    return [*previous, SecretView(secrets.since, ends)]


def service_reference(id: str, service: Service | None) -> NamedReference:
    """A service; one that is gone or may not be seen, by its id alone."""
    return NamedReference(id, service.name if service else None, "service", service.key if service else None)


def reads_user(caller: Caller, user: User) -> bool:
    """Whether the caller may read the account."""
    return caller.is_allowed(Operation.READ_USER, user.id)


REFERENCE = Shape(
    "reference",
    {
        "id": Field(lambda it: it.id),
        "key": Field(lambda it: it.key, Kind.MAYBE_TEXT),
        "name": Field(lambda it: it.name, Kind.MAYBE_TEXT),
        "type": Field(lambda it: it.type),
    },
)


EMAIL = Shape(
    "email",
    {
        "type": Field(lambda user: "EmailJSON"),
        "email": Field(lambda user: user.email, Kind.MAYBE_TEXT),
        "verified": Field(lambda user: False, Kind.FLAG),  # nothing was ever sent to it
    },
)
PROFILE = Shape(
    "profile",
    {
        "type": Field(lambda user: "profile"),
        "email": Field(lambda user: user if user.email else None, Kind.MAYBE_ONE, EMAIL),
    },
    absent=frozenset({"jabber", "avatar", "locale", "timezone", "unverifiedEmail"}),
)
HUBS_OF_USERS = frozenset({"avatar", "aliases", "teams", "details", "organizations", "VCSUserNames", "userType"})
OUTLINE_OF_USERS = frozenset({"id", "type", "login", "name"})


USER = Shape(
    "user",
    {
        "id": Field(lambda user: user.id),
        "type": Field(lambda user: user.type.value),
        "login": Field(lambda user: user.login),
        "name": Field(lambda user: user.name),
        "banned": Field(lambda user: user.banned, Kind.FLAG),
        "banReason": Field(lambda user: user.ban_reason, Kind.MAYBE_TEXT),
        "description": Field(lambda user: user.description, Kind.MAYBE_TEXT),
        "guest": Field(lambda user: False, Kind.FLAG),
        "profile": Field(lambda user: user, Kind.ONE, PROFILE),
        "creationTime": Field(lambda user: user.created, Kind.TIME),
    },
    HUBS_OF_USERS,
    reads_user,
    OUTLINE_OF_USERS,
)

SECRET = Shape(  # of a token or a service
    "tokensecret",
    {
        "type": Field(lambda view: "tokenSecret"),
        "creationTime": Field(lambda view: view.since, Kind.TIME),
        "endsOn": Field(lambda view: view.until, Kind.MAYBE_TIME),
    },
)


SECRET_WAS_SHOWN = (
    "An earlier request with this Idempotency-Key created it, and its secret was in that answer only. "
    "If that answer was lost, {remedy}."
)


PERMISSION = Shape(
    "permission",
    {
        "id": Field(lambda permission: permission.id),
        "type": Field(lambda permission: "permission"),
        "key": Field(lambda permission: permission.key),
        "name": Field(lambda permission: permission.name),
    },
)
