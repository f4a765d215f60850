"""How an installation gets its first administrator, and one who lost every token, or the password, a new one.

There is no caller yet, so nothing is authorized here: whoever may write to the database may do this,
and no API layer exposes it.
"""

from __future__ import annotations

import functools
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.access.account import AccountType, User
from chalicelib.core.access.role import REGISTERED_USER, SYSTEM_ADMIN, Grant, built_in_roles
from chalicelib.core.audit.records import AuditRecord
from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict
from chalicelib.core.common.identifiers import KEYTURN, new_id
from chalicelib.core.common.optimistic_retry import retry_on_conflict, retry_persistently
from chalicelib.core.directory.service import keyturn_service
from chalicelib.core.login.password_hashing import normal
from chalicelib.core.secrets.token_format import CredentialKind
from chalicelib.core.tokens.manage import OwnedToken
from chalicelib.core.tokens.token import PermanentToken

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.core.access.ports import AccessStore, AccountStore, RoleStore
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.directory.ports import ServiceStore
    from chalicelib.core.login.password_hashing import PasswordHasher
    from chalicelib.core.login.ports import AuthenticatorStore
    from chalicelib.core.secrets.verifier import SecretVerifier
    from chalicelib.core.tokens.ports import TokenStore

OPERATOR = "operator"  # the actor in the audit record: somebody with access to the database


class FirstAdministrator:
    """Every step may be repeated: what exists already is left as it is."""

    def __init__(
        self,
        accounts: AccountStore,
        tokens: TokenStore,
        services: ServiceStore,
        roles: RoleStore,
        access_store: AccessStore,
        authenticators: AuthenticatorStore,
        verifier: SecretVerifier,
        hasher: Callable[[], PasswordHasher],
    ) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._services = services
        self._roles = roles
        self._access_store = access_store
        self._authenticators = authenticators
        self._verifier = verifier
        self._hasher = hasher

    def found(self, origin: Origin) -> None:
        """Keyturn's own service and the built-in roles exist."""
        if self._services.get(KEYTURN) is None:
            service = keyturn_service(origin.now)
            self._services.create(service, _record(origin, "service.created", "service", service.id))
        for role in built_in_roles(origin.now):
            if self._roles.get(role.id) is None:
                self._roles.create(role, _record(origin, "role.created", "role", role.id))

    def issue(self, login: str, origin: Origin) -> OwnedToken:
        """A new token for Keyturn's API, of the administrator `login`, who is created where missing.

        Raises Invalid, or Conflict if the account exists and is no administrator or is banned.
        """

        token_id = new_id()
        hash_secret = functools.cache(self._verifier.hash_secret)  # which takes long: not at each attempt
        make_secret = functools.cache(CredentialKind.PERMANENT_TOKEN.issue)

        def attempt() -> OwnedToken:
            owner = self._administrator(login, origin)
            secret = make_secret(owner.id, token_id)
            token = PermanentToken(
                id=token_id,
                user_id=owner.id,
                name=f"Administrator {token_id}",
                scope=(KEYTURN,),
                author_id=owner.id,
                author_name=owner.name,
                created=origin.now,
                secret=hash_secret(secret),
            )
            record = _record(origin, "permanent-token.created", "permanent-token", token_id, owner.id)
            self._tokens.create(token, owner, None, record)
            return OwnedToken(token, owner, secret)

        return retry_on_conflict(attempt)

    def set_password(self, login: str, origin: Origin, only_first: bool = False) -> str | None:
        """A new password of the administrator `login`, who is created where missing; all their sessions end.

        `only_first`: None, and nothing is changed, if they have one already. Raises as `issue`.
        """
        password = secrets.token_urlsafe(15)
        hashed = self._hasher().hash(normal(password))

        def attempt() -> str | None:
            owner = self._administrator(login, origin)
            old = self._authenticators.get(owner.id)
            if only_first and old.password is not None:
                return None
            new = replace(old.without_sessions(), password=hashed, revision=old.revision + 1)
            record = _record(origin, "password.set", "password", owner.id, owner.id)
            self._authenticators.replace(owner, old, new, None, False, record)
            return password

        return retry_persistently(attempt)

    def _administrator(self, login: str, origin: Origin) -> User:
        self.found(origin)
        owner = self._accounts.find_by_login(validation.login(login))
        if owner is None:
            owner = self._create(validation.not_an_id(login, "login"), origin)
        if owner.banned or not any(
            grant.makes_administrator for grant in self._access_store.direct_grants(owner.id).grants
        ):
            raise Conflict(f"{login} exists and is not an administrator who may log in.", "login")
        return owner

    def _create(self, login: str, origin: Origin) -> User:
        user = User(id=new_id(), login=login, name="Administrator", type=AccountType.USER, created=origin.now)
        grants = [Grant(user.id, SYSTEM_ADMIN), Grant(user.id, REGISTERED_USER)]
        self._accounts.create(user, grants, _record(origin, "user.created", "user", user.id, user.id))
        return user


def _record(origin: Origin, kind: str, target_kind: str, target_id: str, owner_id: str | None = None) -> AuditRecord:
    return AuditRecord(
        kind=kind,
        at=origin.now,
        actor_id=OPERATOR,
        credential_id=OPERATOR,
        address=origin.address,
        target_kind=target_kind,
        target_id=target_id,
        owner_id=owner_id,
    )
