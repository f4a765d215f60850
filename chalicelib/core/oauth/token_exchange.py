"""A permanent token, or an access token, becomes an access token that is good for less (RFC 8693).

Nothing grows: scope and audience only narrow, an exchanged access token lives no longer than the one that it
came from, is revoked with it, and dies with the same source.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Invalid, InvalidGrant
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.time import earliest
from chalicelib.core.oauth.access_tokens import CLAIM_SCOPES, MAX_EXCHANGES, AccessToken, Source, SourceKind
from chalicelib.core.secrets.token_format import CredentialKind, recognise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.access_token_check import AccessTokenCheck
    from chalicelib.core.oauth.issuance import Issuance, Issued
    from chalicelib.core.oauth.scopes import Scopes
    from chalicelib.core.tokens.token import PermanentToken
    from chalicelib.core.verification.credential_check import CredentialCheck
    from chalicelib.core.verification.ports import CredentialStore

REFUSED = "subject_token is not a valid permanent token or access token."


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is asked for. `client` is the service that acts for the subject; None for the subject itself."""

    subject_token: str = field(repr=False)
    scope: str | None = None
    audience: Sequence[str] = ()
    client: Service | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    id: str
    scope: tuple[str, ...]
    audience: tuple[str, ...]
    source: Source
    ends: int | None = None
    actors: tuple[str, ...] = ()
    authenticated: int | None = None
    held: tuple[PermanentToken, User] | None = None
    exchanged_from: tuple[str, ...] = ()
    workload: str | None = None


class TokenExchange:
    """Issues narrowed access tokens. Nothing is stored."""

    def __init__(
        self,
        credentials: CredentialStore,
        check: CredentialCheck,
        tokens: AccessTokenCheck,
        scopes: Scopes,
        issuance: Issuance,
    ) -> None:
        self._credentials = credentials
        self._check = check
        self._tokens = tokens
        self._scopes = scopes
        self._issuance = issuance

    def exchange(self, asked: Exchange, origin: Origin) -> Issued:
        """Raises InvalidGrant (the subject token), or Invalid (`scope`, `audience`)."""
        now = origin.now
        subject = self._subject(asked, origin)
        named = self._scopes.within(asked.audience, subject.audience, "audience")
        written = self._scope(asked.scope, named, subject)
        scope = tuple(written)
        audience = tuple(named) or tuple(value for value in scope if value in subject.audience)
        ends = (
            self._record_uses(asked, subject, audience, {**written, **named}, origin) if subject.held else subject.ends
        )
        return self._issuance.issue(
            subject.id,
            asked.client.id if asked.client else KEYTURN,
            scope,
            subject.source,
            now,
            audience=audience,
            ends=ends,
            actors=((asked.client.id,) if asked.client else ()) + subject.actors,
            authenticated=subject.authenticated,
            exchanged_from=subject.exchanged_from,
            workload=subject.workload,
        )

    def _record_uses(
        self,
        asked: Exchange,
        subject: _Subject,
        audience: tuple[str, ...],
        written: Mapping[str, str],
        origin: Origin,
    ) -> int | None:
        """When the permanent token ends at the services that it is exchanged for, by their policies too. It is used
        there from now on. Raises Invalid (`audience`)."""
        assert subject.held
        credential, owner = subject.held
        ends = []
        for service in self._scopes.known(audience):
            verified = self._check.verify(
                asked.subject_token, credential, owner, service, origin.usage(), recorded=False
            )
            if verified is None:
                raise Invalid("audience", f"a policy of {written[service.id]!r} refuses this token.")
            ends.append(verified.ends)
        self._check.record_use(credential, audience, origin.usage(), subject.source.since or 0)
        return earliest(ends)

    def _scope(self, text: str | None, audience: Mapping[str, str], subject: _Subject) -> Mapping[str, str]:
        """What is asked for, or else the audience, or else all that the subject has: what was written, by value."""
        if not text:
            return audience or {value: value for value in subject.scope if value not in CLAIM_SCOPES}
        scope = self._scopes.narrowed(text, tuple(audience), subject.scope)
        beyond = [written for value, written in audience.items() if value not in scope]
        if beyond:
            raise Invalid("audience", f"{beyond[0]!r} is not in the requested scope.")
        if not any(value in subject.audience for value in scope):
            raise Invalid("scope", "must name a service that the token is for.")
        return scope

    def _subject(self, asked: Exchange, origin: Origin) -> _Subject:
        key = recognise(asked.subject_token, CredentialKind.PERMANENT_TOKEN)
        if key is None:
            return self._from_access_token(asked, origin.now)
        found = self._credentials.find(key, None)
        credential, owner = found.credential.rotating if found.credential else None, found.owner
        verified = self._check.verify(asked.subject_token, credential, owner, None, origin.usage(), recorded=False)
        if verified is None or credential is None or owner is None:
            raise InvalidGrant(REFUSED)
        if asked.client and asked.client.id not in credential.scope:
            raise InvalidGrant(REFUSED)  # a service may act only with what is for it
        source = Source(SourceKind.PERMANENT_TOKEN, credential.id, since=verified.since)
        scope = credential.scope
        return _Subject(credential.user_id, scope, scope, source, held=(credential, owner))

    def _from_access_token(self, asked: Exchange, now: int) -> _Subject:
        verified = self._tokens.verify(asked.subject_token, now)
        if verified is None or not _is_for(asked.client, verified.token):
            raise InvalidGrant(REFUSED)
        token = verified.token
        if len(token.exchanged_from) == MAX_EXCHANGES:
            raise InvalidGrant(f"subject_token comes from {MAX_EXCHANGES} exchanges in a row, which is the maximum.")
        return _Subject(
            token.subject_id,
            token.scope,
            token.audience,
            token.source,
            token.expires,
            token.actors,
            token.authenticated,
            exchanged_from=(token.id, *token.exchanged_from),
            workload=token.workload,
        )


def _is_for(client: Service | None, token: AccessToken) -> bool:
    """A service may exchange what was issued to it or is for it. Without a service, the bearer narrows its own."""
    return client is None or client.id == token.client_id or client.id in token.audience
