"""How things look from outside: the fields of Hub's contract, and where each comes from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from chalicelib.core.authorization import Operation
from chalicelib.core.policies import earliest
from chalicelib.rest.fields import Field, Kind, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chalicelib.core.accounts import User
    from chalicelib.core.caller import Caller
    from chalicelib.core.groups import Group
    from chalicelib.core.operations.permanent_tokens import OwnedToken
    from chalicelib.core.overlapping_secrets import Secrets
    from chalicelib.core.services import Service
    from chalicelib.core.token_health import TokenFlags
    from chalicelib.core.uses import LastUse


@dataclass(frozen=True, slots=True)
class NamedReference:
    """Something elsewhere, of which only this much is known here."""

    id: str
    name: str | None
    type: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class LastUseView:
    """How a token was used last, with the service where that was."""

    use: LastUse
    service: NamedReference | None


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
    earlier = [SecretView(each.since, earliest((each.until, ends))) for each in secrets.earlier]
    return [*earlier, SecretView(secrets.since, ends)]


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


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service; `secret` only in the answer that creates it."""

    service: Service
    secret: str | None = field(default=None, repr=False)

    def secrets(self) -> list[SecretView]:
        """As `TokenView.secrets`."""
        return secret_views(self.service.secrets)


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group, and whatever it is inside of, by id, which is read only for answers that show it."""

    group: Group
    outer: Callable[[], Mapping[str, Group]]

    def parent(self) -> GroupView | None:
        """The group that it is directly inside of."""
        if self.group.parent_id is None:
            return None
        found = self.outer().get(self.group.parent_id)
        return GroupView(found, self.outer) if found else None


def service_reference(id: str, service: Service | None) -> NamedReference:
    """A service; one that is gone or may not be seen, by its id alone."""
    return NamedReference(id, service.name if service else None, "service", service.key if service else None)


def reads_user(caller: Caller, user: User) -> bool:
    """Whether the caller may read the account."""
    return caller.may(Operation.READ_USER, user.id)


def _reads_group(caller: Caller, view: GroupView) -> bool:
    """Whoever is in a group knows it."""
    return view.group.id in caller.groups or caller.may(Operation.READ_GROUP)


def _reads_token(caller: Caller, view: TokenView) -> bool:
    presented = view.owned.token.id == caller.credential_id
    operation = Operation.READ_CURRENT_TOKEN if presented else Operation.READ_TOKENS
    return caller.may(operation, view.owned.owner.id)


def _renews_service(caller: Caller, view: ServiceView) -> bool:
    from chalicelib.core.operations.service_secrets import could_renew  # only where it is asked for

    return could_renew(caller, view.service)


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
HUBS_OF_SERVICES = frozenset({"aliases", "viewers", "resources", "userUriPattern", "groupUriPattern", "verified"})


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

LAST_USE = Shape(
    "lastuse",
    {
        "type": Field(lambda view: "lastUse"),
        "address": Field(lambda view: view.use.address, Kind.MAYBE_TEXT),
        "userAgent": Field(lambda view: view.use.agent, Kind.MAYBE_TEXT),
        "service": Field(lambda view: view.service, Kind.MAYBE_ONE, REFERENCE),
    },
)
SECRET = Shape(  # of a token or a service
    "tokensecret",
    {
        "type": Field(lambda view: "tokenSecret"),
        "creationTime": Field(lambda view: view.since, Kind.TIME),
        "endsOn": Field(lambda view: view.until, Kind.MAYBE_TIME),
    },
)
# Hub has none of these: an answer holds them only if they are asked for.
_lifecycle = {
    "authorLogin": Field(lambda view: view.author_login(), Kind.MAYBE_TEXT),
    "rotationTime": Field(lambda view: view.owned.token.rotated, Kind.MAYBE_TIME),
    "description": Field(lambda view: view.owned.token.description, Kind.MAYBE_TEXT),
    "contact": Field(lambda view: view.owned.token.contact, Kind.MAYBE_TEXT),
    "labels": Field(lambda view: list(view.owned.token.labels), Kind.LINES),
    "networks": Field(lambda view: list(view.owned.token.networks), Kind.LINES),
    "endsOn": Field(lambda view: view.flags().outlook.refused, Kind.MAYBE_TIME),
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
        **{name: replace(field, unasked=False) for name, field in _lifecycle.items()},
    },
    readable=_reads_token,
    outline=frozenset({"id", "type", "name", "user"}),
)
LISTED_TOKEN = Shape("permanenttokeninalist", {**PERMANENT_TOKEN.fields, **_lifecycle})

SECRET_WAS_SHOWN = (
    "An earlier request with this Idempotency-Key created it, and its secret was in that answer only. "
    "If that answer was lost, {remedy}."
)


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

PERMISSION = Shape(
    "permission",
    {
        "id": Field(lambda permission: permission.id),
        "type": Field(lambda permission: "permission"),
        "key": Field(lambda permission: permission.key),
        "name": Field(lambda permission: permission.name),
    },
)

SERVICE = Shape(
    "service",
    {
        "id": Field(lambda view: view.service.id),
        "type": Field(lambda view: "service"),
        "key": Field(lambda view: view.service.key),
        "name": Field(lambda view: view.service.name),
        "applicationName": Field(lambda view: view.service.application_name, Kind.MAYBE_TEXT),
        "vendor": Field(lambda view: view.service.vendor, Kind.MAYBE_TEXT),
        "version": Field(lambda view: view.service.version, Kind.MAYBE_TEXT),
        "homeUrl": Field(lambda view: view.service.home_url, Kind.MAYBE_TEXT),
        "baseUrls": Field(lambda view: list(view.service.base_urls), Kind.LINES),
        "redirectUris": Field(lambda view: list(view.service.redirect_uris), Kind.LINES),
        "grantTypes": Field(lambda view: [each.value for each in view.service.grant_types], Kind.LINES),
        "public": Field(lambda view: view.service.public, Kind.FLAG),
        "iconUrl": Field(lambda view: view.service.icon_url, Kind.MAYBE_TEXT),
        "trusted": Field(lambda view: view.service.trusted, Kind.FLAG),
        "defaultRoles": Field(
            lambda view: [NamedReference(id, None, "role") for id in view.service.default_roles], Kind.MANY, REFERENCE
        ),
        "permissions": Field(lambda view: list(view.service.permissions), Kind.MANY, PERMISSION),
        "groups": Field(
            lambda view: [NamedReference(id, None, "userGroup") for id in view.service.groups], Kind.MANY, REFERENCE
        ),
        "creationTime": Field(lambda view: view.service.created, Kind.TIME),
        # Hub has none: an answer holds it only if it is asked for.
        "secrets": Field(lambda view: view.secrets(), Kind.MANY, SECRET, unasked=False, readable=_renews_service),
    },
    HUBS_OF_SERVICES,
)

CREATED_SERVICE = Shape(
    "createdservice",
    {
        **SERVICE.fields,
        "secret": Field(lambda view: view.secret, Kind.MAYBE_TEXT, secret=True),
        "notice": Field(
            lambda view: (
                None if view.secret else SECRET_WAS_SHOWN.format(remedy="POST to the service's /secret for a new one")
            ),
            Kind.MAYBE_TEXT,
        ),
    },
)

SERVICE_SECRET_COMPARISON = Shape(
    "servicesecretcomparison",
    {
        "id": Field(lambda compared: compared[0].id),
        "type": Field(lambda compared: "serviceSecretComparison"),
        "current": Field(lambda compared: compared[1], Kind.FLAG),
    },
)

_group_fields = {
    "id": Field(lambda view: view.group.id),
    "type": Field(lambda view: "userGroup"),
    "name": Field(lambda view: view.group.name),
    "requiredTwoFactorAuthentication": Field(lambda view: view.group.requires_two_factor, Kind.FLAG),
    "creationTime": Field(lambda view: view.group.created, Kind.TIME),
}
HUBS_OF_GROUPS = frozenset({"iconUrl", "description", "autoJoin", "userCount", "aliases"})
OUTLINE_OF_GROUPS = frozenset({"id", "type", "name"})
GROUP = Shape("usergroup", _group_fields, HUBS_OF_GROUPS, _reads_group, OUTLINE_OF_GROUPS)
_group_fields["parent"] = Field(lambda view: view.parent(), Kind.MAYBE_ONE, GROUP)  # and so on, outwards

AUDIT_RECORD = Shape(
    "auditrecord",
    {
        "id": Field(lambda record: record.id),
        "type": Field(lambda record: "auditRecord"),
        "kind": Field(lambda record: record.kind),
        "time": Field(lambda record: record.at, Kind.TIME),
        "actor": Field(lambda record: record.actor_id),
        "credential": Field(lambda record: record.credential_id),
        "credentialKind": Field(lambda record: record.hand.kind, Kind.MAYBE_TEXT),
        "accessToken": Field(lambda record: record.hand.access_token_id, Kind.MAYBE_TEXT),
        "actingServices": Field(lambda record: list(record.hand.services), Kind.LINES),
        "earlierSecret": Field(lambda record: record.hand.earlier, Kind.FLAG),
        "address": Field(lambda record: record.address),
        "targetKind": Field(lambda record: record.target_kind),
        "target": Field(lambda record: record.target_id),
        "owner": Field(lambda record: record.owner_id, Kind.MAYBE_TEXT),
        "details": Field(lambda record: record.details, Kind.TEXTS),
    },
)
