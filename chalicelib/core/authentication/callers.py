"""From a presented credential to the caller of Keyturn's own API."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access.account import User
from chalicelib.core.access.caller import Caller
from chalicelib.core.access.permissions import READING, ROTATE_SELF
from chalicelib.core.audit.records import Hand
from chalicelib.core.common import validation
from chalicelib.core.common.errors import InsufficientScope, Unauthenticated, Unavailable
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.common.time import earliest
from chalicelib.core.oauth.access_tokens import SourceKind
from chalicelib.core.secrets.token_format import (
    ACCESS_TOKEN_BEGINNING,
    BASIC,
    BEARER,
    CredentialKey,
    by_scheme,
    recognise,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.core.access.reader import EffectiveAccess
    from chalicelib.core.audit.ports import AuditStore
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.directory.service import Service
    from chalicelib.core.login.attempt_limits import AttemptLimiter
    from chalicelib.core.oauth.access_token_check import AccessTokenCheck, VerifiedToken
    from chalicelib.core.oauth.access_tokens import AccessToken
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import PreviousSecret
    from chalicelib.core.verification.credential_check import CredentialCheck, Verification
    from chalicelib.core.verification.ports import CredentialStore, VerificationRead

NOT_VALID = "The access token is not valid."  # whatever was presented as one, and why it is not


class Authentication:
    """Says who calls."""

    def __init__(
        self,
        credentials: CredentialStore,
        check: CredentialCheck,
        access: EffectiveAccess,
        access_tokens: Callable[[], AccessTokenCheck | None],
        trail: AuditStore,
        attempt_limiter: Callable[[], AttemptLimiter],
    ) -> None:
        self._credentials = credentials
        self._check = check
        self._access = access
        self._access_tokens = access_tokens
        self._trail = trail
        self._attempt_limiter = attempt_limiter  # made when the first application password comes that is wrong

    def caller(self, presented: str, origin: Origin) -> Caller:
        """Who calls with `presented`: a permanent token, a session or an access token.

        Raises Unauthenticated, InsufficientScope (the token is not for Keyturn itself) or Throttled.
        """
        caller = self.caller_any_scope(presented, origin)
        if caller.rotate_only:
            raise InsufficientScope("This token's scope does not include Keyturn itself.")
        return caller

    def caller_any_scope(self, presented: str, origin: Origin, supplied_secret: str | None = None) -> Caller:
        """The same; but a permanent token that is not for Keyturn is good for one thing here: to be rotated itself.
        `supplied_secret` is the secret that the request wants in place of the one that is presented.

        Raises as `caller`.
        """
        if presented.startswith(ACCESS_TOKEN_BEGINNING):
            return self._caller_by_access_token(presented, origin)
        key = recognise(presented, *by_scheme(BEARER))
        found, verified = self._verified(key, presented, NOT_VALID, origin, supplied_secret)
        return self._caller(found, verified, origin)

    def _caller_by_access_token(self, presented: str, origin: Origin) -> Caller:
        tokens = self._access_tokens()
        token = tokens.read(presented, origin.now) if tokens else None
        if tokens is None or token is None:
            raise Unauthenticated(NOT_VALID)
        service, verified = tokens.asked_by(token, KEYTURN, origin.now)
        if verified is None or not isinstance(verified.subject, User):
            raise Unauthenticated(NOT_VALID)
        if KEYTURN not in verified.token.audience:
            raise InsufficientScope("This token's scope does not include Keyturn itself.")
        access = self._access.of_account(verified.subject)
        delegated = verified.token.source.kind is SourceKind.DELEGATION or bool(verified.token.actors)
        caller = Caller(
            verified.subject,
            access.permissions,
            verified.token.id,
            origin.now,
            origin.address,
            frozenset(access.groups),
            logged_in_at=verified.token.authenticated,
            delegated=delegated,
            ends=None if verified.lasting else verified.token.expires,
            source_id=verified.token.source.id,
            hand=_hand_of(verified.token),
            record_refusal=self._record_refusal,
        )
        return self._bounded(caller, verified, service)

    def _bounded(self, caller: Caller, verified: VerifiedToken, service: Service | None) -> Caller:
        """By what its access token came from too: a permanent token, and which of its secrets was exchanged."""
        source, since = verified.source, verified.token.source.since
        if source is None:
            return caller
        since = source.secret_created_at if since is None else since
        previous = source.previous(since, caller.now)
        ends = self._check.ends(source, since, caller.user, service, caller.now)
        caller = replace(caller, ends=earliest((caller.ends, ends)), networks=source.networks)
        return _with_previous_secret(caller, previous, ends) if previous else caller

    def caller_by_password(self, login: str, presented: str, origin: Origin) -> Caller:
        """Who calls with a login and, in place of the password, an application password.

        Raises Unauthenticated or Throttled. What is wrong is counted in the owner's audit log; what belongs to nobody,
        at the network, which takes as long.
        """
        refusal = Unauthenticated("The login or the application password is not valid.")
        key = recognise(presented, *by_scheme(BASIC))
        if key is None:  # refused without asking the database
            raise refusal
        found = self._credentials.find(key, None)
        owner = found.owner
        is_owners = owner is not None and validation.login_key(login) == validation.login_key(owner.login)
        verified = self._check.verify(presented, found.credential, owner, None, origin.usage(), recorded=is_owners)
        if verified is None or not is_owners:
            with contextlib.suppress(Unavailable):
                self._attempt_limiter().application_password_failed(owner, origin)
            raise refusal
        return self._caller(found, verified, origin)

    def _verified(
        self, key: CredentialKey | None, presented: str, refusal: str, origin: Origin, supplied_secret: str | None
    ) -> tuple[VerificationRead, Verification]:
        if key is None:  # refused without asking the database
            raise Unauthenticated(refusal)
        found = self._credentials.find(key, KEYTURN if key.kind.value.rotates else None)
        usage = replace(origin.usage(), supplied_secret=supplied_secret)
        verified = self._check.verify(
            presented, found.credential, found.owner, found.service, usage, authenticators=found.authenticators
        )
        if verified is None:
            raise Unauthenticated(refusal)
        return found, verified

    def _caller(self, found: VerificationRead, verified: Verification, origin: Origin) -> Caller:
        credential, owner = found.credential, found.owner
        assert credential
        assert owner
        kind, access = credential.kind.value, self._access.of_account(owner)
        second_factor_missing = kind.is_login and not credential.second_factor and access.requires_two_factor
        rotate_only = not credential.is_for(KEYTURN)
        caller = Caller(
            owner,
            access.permissions if credential.only is None else access.permissions.only(credential.only),
            credential.id,
            origin.now,
            origin.address,
            frozenset()
            if second_factor_missing or rotate_only
            else frozenset(access.groups),  # which show what others may not see
            logged_in=kind.is_login,
            logged_in_at=credential.created if kind.is_login else None,
            secret_since=verified.since if kind.rotates else None,
            ends=verified.ends,
            networks=tuple(credential.networks),
            opens_nothing=credential.opens_nothing,
            rotate_only=rotate_only,
            second_factor=credential.second_factor,
            second_factor_missing=second_factor_missing,
            hand=Hand(kind.audit_name),
            record_refusal=self._record_refusal,
        )
        return _with_previous_secret(caller, verified.previous, verified.ends) if verified.previous else caller

    def _record_refusal(self, record: AuditRecord) -> None:
        with contextlib.suppress(Unavailable):  # what is refused is refused, recorded or not
            self._trail.count(record)


def _hand_of(token: AccessToken) -> Hand:
    source = token.source
    services = dict.fromkeys((*token.actors, *([source.client_id] if source.client_id else [])))
    return Hand(source.kind.value, token.id, tuple(services), workload=token.workload)


def _with_previous_secret(caller: Caller, previous: PreviousSecret[HashedSecret], ends: int | None) -> Caller:
    """An earlier secret is there for services, and for the client that never got the later one: it may read, and renew
    itself. What changes something is done with the current one. `ends`: when it does so for any reason."""
    scoped_permissions = caller.permissions.only({*READING, ROTATE_SELF})
    return replace(caller, permissions=scoped_permissions, secret_ends=earliest((previous.until, ends)))
