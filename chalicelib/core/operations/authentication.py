"""From a presented credential to the caller of Keyturn's own API."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core import names
from chalicelib.core.access_tokens import SourceKind
from chalicelib.core.accounts import User
from chalicelib.core.authorization import Caller
from chalicelib.core.credentials.wire_format import ACCESS_TOKEN_BEGINNING, CredentialKey, CredentialKind, recognise
from chalicelib.core.errors import InsufficientScope, Unauthenticated
from chalicelib.core.permanent_tokens import PermanentToken
from chalicelib.core.permissions import KEYTURN, ROTATE_SELF, PermissionSet, Power
from chalicelib.core.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.core.operations.credential_check import CredentialCheck, Good
    from chalicelib.core.operations.effective_access import EffectiveAccess
    from chalicelib.core.operations.oauth.access_token_check import AccessTokenCheck
    from chalicelib.core.origin import Origin
    from chalicelib.core.ports import Credentials, CredentialStore


class Authentication:
    """Says who calls."""

    def __init__(
        self,
        credentials: CredentialStore,
        check: CredentialCheck,
        access: EffectiveAccess,
        access_tokens: Callable[[], AccessTokenCheck | None],
    ) -> None:
        self._credentials = credentials
        self._check = check
        self._access = access
        self._access_tokens = access_tokens

    def caller(self, presented: str, origin: Origin) -> Caller:
        """Who calls with `presented`: a permanent token, a session or an access token.

        Raises Unauthenticated, InsufficientScope (the token is not for Keyturn itself) or Throttled.
        """
        caller = self.holder(presented, origin)
        if caller.limited:
            raise InsufficientScope("This token's scope does not include Keyturn itself.")
        return caller

    def holder(self, presented: str, origin: Origin) -> Caller:
        """The same; but a permanent token that is not for Keyturn is good for one thing here: to be rotated itself.

        Raises as `caller`.
        """
        if presented.startswith(ACCESS_TOKEN_BEGINNING):
            return self._caller_by_access_token(presented, origin)
        key = recognise(presented, CredentialKind.PERMANENT_TOKEN, CredentialKind.SESSION)
        found, good = self._good(key, presented, "The access token is not valid.", origin)
        credential = found.credential
        if isinstance(credential, PermanentToken) and KEYTURN not in credential.scope:
            return self._limited(self._caller(found, good, origin))
        if isinstance(credential, Session) and not (
            found.authenticators and credential.is_alive(found.authenticators, origin.now)
        ):
            raise Unauthenticated("This session has ended. Log in again.")
        return self._caller(found, good, origin)

    def _limited(self, caller: Caller) -> Caller:
        may_rotate = caller.permissions.allows(ROTATE_SELF)
        powers = PermissionSet([Power(ROTATE_SELF)] if may_rotate else [])
        return replace(caller, permissions=powers, groups=frozenset(), limited=True)

    def _caller_by_access_token(self, presented: str, origin: Origin) -> Caller:
        tokens = self._access_tokens()
        good = tokens.good(presented, origin.now) if tokens else None
        if good is None or not isinstance(good.subject, User):
            raise Unauthenticated("The access token is not valid.")
        if KEYTURN not in good.token.audience:
            raise InsufficientScope("This token's scope does not include Keyturn itself.")
        access = self._access.of(good.subject.id)
        return Caller(
            good.subject,
            access.permissions,
            good.token.id,
            origin.now,
            origin.address,
            frozenset(access.groups),
            delegated=good.token.source.kind is SourceKind.DELEGATION,
        )

    def caller_by_password(self, login: str, presented: str, origin: Origin) -> Caller:
        """Who calls with a login and, in place of the password, an application password.

        Raises Unauthenticated or Throttled.
        """
        refusal = "The login or the application password is not valid."
        key = recognise(presented, CredentialKind.APPLICATION_PASSWORD)
        found, good = self._good(key, presented, refusal, origin)
        if found.owner is None or names.login_key(login) != names.login_key(found.owner.login):
            raise Unauthenticated(refusal)
        return self._caller(found, good, origin)

    def _good(
        self, key: CredentialKey | None, presented: str, refusal: str, origin: Origin
    ) -> tuple[Credentials, Good]:
        if key is None:  # refused without asking the database
            raise Unauthenticated(refusal)
        found = self._credentials.find(key, KEYTURN if key.kind is CredentialKind.PERMANENT_TOKEN else None)
        good = self._check.good(presented, found.credential, found.owner, origin.use(found.service))
        if good is None:
            raise Unauthenticated(refusal)
        return found, good

    def _caller(self, found: Credentials, good: Good, origin: Origin) -> Caller:
        credential, owner = found.credential, found.owner
        assert credential
        assert owner
        access = self._access.of(owner.id)
        logged_in = isinstance(credential, Session)
        unproven = isinstance(credential, Session) and not credential.second_factor and access.requires_two_factor
        return Caller(
            owner,
            access.permissions,
            credential.id,
            origin.now,
            origin.address,
            frozenset() if unproven else frozenset(access.groups),  # which show what others may not see
            logged_in=logged_in,
            logged_in_at=credential.created if logged_in else None,
            secret_ends=good.earlier.until if good.earlier else None,
            unproven=unproven,
        )
