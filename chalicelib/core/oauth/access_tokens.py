"""Access tokens: short-lived, signed, and good for a list of services while what they came from is.

Source: RFC 9068 (their form), RFC 9700 section 2.3 (restricted in audience).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.access.account import User
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.delegations import ApprovedScope, Delegation
    from chalicelib.core.oauth.trust_rules import TrustRule
    from chalicelib.core.tokens.token import PermanentToken

# How long a service that only looks at the signature still accepts what was revoked.
LIFETIME_MS = 5 * 60_000
MAX_EXCHANGES = 10  # in a row; each is one thing more that a check looks up

OPENID, PROFILE, EMAIL = "openid", "profile", "email"
CLAIM_SCOPES = frozenset({OPENID, PROFILE, EMAIL})  # OpenID Connect Core section 5.4: about the user, not a service


class SourceKind(Enum):
    """What an access token came from, and dies with."""

    PERMANENT_TOKEN = "permanent-token"
    DELEGATION = "delegation"
    TRUST_RULE = "trust-rule"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Source:
    """The record that an access token came from; `client_id`, the service that a delegation is to; `since`, when the
    secret of a permanent token was made that was exchanged, or of a service that acts for itself, or when a trust rule
    last came to let in less, in milliseconds since the epoch.

    What was issued before there was `since` has none, and depends on its token or service alone for its last minutes.
    """

    kind: SourceKind
    id: str
    client_id: str | None = None
    since: int | None = None

    def __str__(self) -> str:
        rest = self.client_id if self.since is None else str(self.since)
        return ":".join(part for part in (self.kind.value, self.id, rest) if part)

    @classmethod
    def parse(cls, text: str) -> Source:
        """The reverse of `str`. Raises ValueError."""
        kind, id, *rest = text.split(":")
        last = rest[0] if rest else None
        if last and kind != SourceKind.DELEGATION.value:
            return cls(SourceKind(kind), id, since=int(last))
        return cls(SourceKind(kind), id, last)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an access token says. Times are in milliseconds since the epoch, in whole seconds.

    `scope` holds service ids and claim scopes, `audience` service ids; `subject_id` is an account's, or the
    client's own where it acts for nobody; `actors` are the services that act for the subject, the one that
    acts now first; `exchanged_from` are the ids of the access tokens that it came from, one by an exchange of the
    other, the latest first; `workload` is the subject of the outside token that it, or what it was exchanged from, was
    traded for.
    """

    id: str
    subject_id: str
    client_id: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    source: Source
    issued: int
    expires: int
    actors: tuple[str, ...] = ()
    authenticated: int | None = None  # when the subject logged in
    exchanged_from: tuple[str, ...] = ()
    workload: str | None = None

    def narrowed(self, allowed: tuple[str, ...]) -> AccessToken:
        """As good as it still is, now that its source allows no more than this."""
        return replace(
            self,
            scope=tuple(value for value in self.scope if value in allowed),
            audience=tuple(value for value in self.audience if value in allowed),
        )


@dataclass(frozen=True, slots=True)
class SubjectState:
    """What was found of all that an access token depends on; each may be missing. `services` by id; `revoked`: itself,
    or an access token that it was exchanged from."""

    revoked: bool = False
    subject: User | None = None
    services: Mapping[str, Service] = field(default_factory=dict)
    permanent_token: PermanentToken | None = None
    delegation: Delegation | None = None
    approval: ApprovedScope | None = None
    trust_rule: TrustRule | None = None


def in_force(token: AccessToken, state: SubjectState, now: int) -> AccessToken | None:
    """The token as far as it is still good at this moment, or None.

    `token` was well signed. It ends when it expires, when it or what it was exchanged from was revoked, when its
    subject is banned or gone, and with its source: a permanent token that was deleted or narrowed, or the secret of
    it that was exchanged, a delegation or its approved scope, a trust rule (or what it let in before), a service or the
    secret by which it asked.
    """
    if state.revoked or now >= token.expires:
        return None
    allowed = _allowed(token, state, now)
    narrowed = token.narrowed(allowed)
    return narrowed if narrowed.scope else None


def _allowed(token: AccessToken, state: SubjectState, now: int) -> tuple[str, ...]:
    if token.source.kind is SourceKind.SERVICE:
        service = state.services.get(token.source.id)
        return token.scope if service and _proved_itself(service, token.source.since, now) else ()
    if state.subject is None or state.subject.banned:
        return ()
    if token.actors and token.client_id not in state.services:
        return ()
    match token.source.kind:
        case SourceKind.PERMANENT_TOKEN:
            source = state.permanent_token
            return source.scope if source and _is_good(source, token.source.since, now) else ()
        case SourceKind.TRUST_RULE:
            rule = state.trust_rule
            return rule.scope if rule and rule.since == token.source.since else ()
        case SourceKind.DELEGATION:
            if state.delegation is None:
                return ()
            client = state.services.get(token.source.client_id or "")
            return state.delegation.allowed(client, state.approval, now)


def _proved_itself(service: Service, since: int | None, now: int) -> bool:
    return since is None or (service.secrets is not None and service.secrets.has(since, now))


def _is_good(source: PermanentToken, since: int | None, now: int) -> bool:
    return not source.has_ended(now) if since is None else source.has_secret(since, now)
