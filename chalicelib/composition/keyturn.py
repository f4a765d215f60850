"""Where the parts are put together: the core's operations on its stores, for the life of a process.

Each part is imported when it is first asked for: a cold start that answers one introspection loads
nothing of what only administrators need.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from chalicelib.core.secrets.hashing import SecretHasher
from chalicelib.core.secrets.verifier import SecretVerifier
from chalicelib.settings import Settings
from chalicelib.storage.engine.table import connect, open_client
from chalicelib.storage.stores import DynamoStores

if TYPE_CHECKING:
    from chalicelib.composition.lifecycle import TokenLifecycle
    from chalicelib.composition.oauth import OAuth
    from chalicelib.core.access.reader import EffectiveAccess
    from chalicelib.core.audit.replays import IdempotentReplay
    from chalicelib.core.authentication.callers import Authentication
    from chalicelib.core.authentication.introspection import Introspection
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.audit_trail import AuditTrail
    from chalicelib.core.directory.explain import Permissions
    from chalicelib.core.directory.grants import AllGrants
    from chalicelib.core.directory.groups import Groups
    from chalicelib.core.directory.roles import Roles
    from chalicelib.core.directory.service_secrets import ServiceSecrets
    from chalicelib.core.directory.services import Services
    from chalicelib.core.login.application_passwords import ApplicationPasswords
    from chalicelib.core.login.attempt_limits import AttemptLimiter
    from chalicelib.core.login.log_in import Login
    from chalicelib.core.login.password_hashing import PasswordHasher
    from chalicelib.core.login.passwords import Passwords
    from chalicelib.core.login.second_factor_check import SecondFactorCheck
    from chalicelib.core.login.second_factors import SecondFactors
    from chalicelib.core.login.sessions import Sessions
    from chalicelib.core.oauth.access_token_check import AccessTokenCheck
    from chalicelib.core.secrets.keyring import Keyring
    from chalicelib.core.stores import Stores
    from chalicelib.core.tokens.compromise import Compromise
    from chalicelib.core.tokens.effective_policies import EffectivePolicies
    from chalicelib.core.tokens.first_administrator import FirstAdministrator
    from chalicelib.core.tokens.manage import PermanentTokens
    from chalicelib.core.tokens.rotation import Rotation
    from chalicelib.core.verification.credential_check import CredentialCheck


class Keyturn:
    """Everything that an API layer can ask, by default on the table that the settings name."""

    def __init__(self, settings: Settings, stores: Stores | None = None) -> None:
        """No network is used yet. `stores`: in place of those on DynamoDB, to which this process is then not bound."""
        if stores is None:
            connect(settings.table)
            stores = DynamoStores()
        self.stores = stores
        self.settings = settings
        self.verifier = SecretVerifier(SecretHasher(settings.argon2, settings.tag_keys, settings.current_tag_key))

    def warm_up(self) -> None:
        """Load what the most frequent request, an introspection, needs. No network is used."""
        _ = self.introspection
        open_client()

    @functools.cached_property
    def introspection(self) -> Introspection:
        """Is this token good for that service?"""
        from chalicelib.core.authentication.introspection import Introspection

        return Introspection(self.stores.credentials, self.credential_check, self._access_token_check)

    @functools.cached_property
    def authentication(self) -> Authentication:
        """Who calls Keyturn's own API with this token?"""
        from chalicelib.core.authentication.callers import Authentication

        parts = self.credential_check, self.access, self._access_token_check
        return Authentication(self.stores.credentials, *parts, self.stores.audit, lambda: self.attempt_limiter)

    @functools.cached_property
    def credential_check(self) -> CredentialCheck:
        """Is this secret good? One for the process, which remembers what it has noted of uses."""
        from chalicelib.core.verification.credential_check import CredentialCheck
        from chalicelib.core.verification.last_use import LastUses

        credentials = self.stores.credentials
        last_uses = LastUses(credentials, self.settings.last_used_window_ms)
        parts = self.verifier, last_uses, self.effective_policies, lambda: self.compromise
        return CredentialCheck(credentials, *parts, self.stores.audit)

    @functools.cached_property
    def effective_policies(self) -> EffectivePolicies:
        """What is demanded of a token."""
        from chalicelib.core.tokens.effective_policies import EffectivePolicies

        return EffectivePolicies(lambda ids: self.access.with_outer(ids))

    @functools.cached_property
    def compromise(self) -> Compromise:
        """What follows when a secret shows up where it should not. One for the process, which remembers what it has
        noted."""
        from chalicelib.core.tokens.compromise import Compromise

        return Compromise(self.stores.tokens, self.stores.services, self.effective_policies, self.stores.audit)

    @functools.cached_property
    def lifecycle(self) -> TokenLifecycle:
        """What is demanded of tokens, what becomes of them, and who is notified."""
        from chalicelib.composition.lifecycle import TokenLifecycle

        return TokenLifecycle(self, self.settings)

    @functools.cached_property
    def oauth(self) -> OAuth:
        """OAuth 2.0, and the access tokens that it issues. Raises Conflict if the settings name no address."""
        from chalicelib.composition.oauth import OAuth

        return OAuth(self, self.settings)

    @functools.cached_property
    def accounts(self) -> Accounts:
        """Users and bots."""
        from chalicelib.core.directory.accounts import Accounts

        return Accounts(self.stores.accounts, self.stores.access, self.stores.groups, self.access)

    @functools.cached_property
    def permanent_tokens(self) -> PermanentTokens:
        """Permanent tokens."""
        from chalicelib.core.tokens.manage import PermanentTokens

        parts = self.accounts, self.services, self.access, self.effective_policies, self.verifier
        return PermanentTokens(self.stores.tokens, *parts)

    @functools.cached_property
    def rotation(self) -> Rotation:
        """New secrets for permanent tokens."""
        from chalicelib.core.tokens.rotation import Rotation

        return Rotation(self.stores.tokens, self.accounts, self.verifier)

    @functools.cached_property
    def application_passwords(self) -> ApplicationPasswords:
        """Application passwords."""
        from chalicelib.core.login.application_passwords import ApplicationPasswords

        stores = self.stores.account_credentials, self.stores.authenticators
        return ApplicationPasswords(*stores, self.accounts, self.verifier)

    @functools.cached_property
    def login(self) -> Login:
        """Who proves to be the owner of an account?"""
        from chalicelib.core.login.log_in import Login

        stores = self.stores.accounts, self.stores.authenticators
        return Login(*stores, self.attempt_limiter, self._hasher, self._second_factor_check, self.verifier)

    @functools.cached_property
    def passwords(self) -> Passwords:
        """Passwords that people choose."""
        from chalicelib.core.login.passwords import Passwords

        return Passwords(self.stores.authenticators, self.accounts, self._hasher, self.attempt_limiter)

    @functools.cached_property
    def second_factors(self) -> SecondFactors:
        """What else people prove when they log in."""
        from chalicelib.core.login.second_factors import SecondFactors

        return SecondFactors(
            self.stores.authenticators,
            self.stores.account_credentials,
            self.accounts,
            self._second_factor_check,
            self.attempt_limiter,
            self.keyring,
            self.verifier,
        )

    @functools.cached_property
    def sessions(self) -> Sessions:
        """Where people are logged in."""
        from chalicelib.core.login.sessions import Sessions

        return Sessions(self.stores.account_credentials, self.stores.authenticators, self.accounts)

    @functools.cached_property
    def services(self) -> Services:
        """Connected services."""
        from chalicelib.core.directory.services import Services

        return Services(self.stores.services, self.stores.groups, self.stores.roles, self.verifier)

    @functools.cached_property
    def service_secrets(self) -> ServiceSecrets:
        """New secrets for connected services."""
        from chalicelib.core.directory.service_secrets import ServiceSecrets

        return ServiceSecrets(self.services, self.stores.services, self.verifier)

    @functools.cached_property
    def roles(self) -> Roles:
        """Roles and grants."""
        from chalicelib.core.directory.roles import Roles

        stores = self.stores.roles, self.stores.access, self.stores.groups
        return Roles(*stores, self.accounts, self.groups, self.services)

    @functools.cached_property
    def all_grants(self) -> AllGrants:
        """What everybody was granted."""
        from chalicelib.core.directory.grants import AllGrants

        return AllGrants(self.roles, self.stores.roles, self.stores.accounts, self.stores.groups)

    @functools.cached_property
    def groups(self) -> Groups:
        """Groups and their members."""
        from chalicelib.core.directory.groups import Groups

        return Groups(self.stores.groups, self.stores.access, self.accounts, self.access)

    @functools.cached_property
    def audit_trail(self) -> AuditTrail:
        """Who did what."""
        from chalicelib.core.directory.audit_trail import AuditTrail

        return AuditTrail(self.stores.audit)

    @functools.cached_property
    def idempotent_replay(self) -> IdempotentReplay:
        """What became of a request that is sent again?"""
        from chalicelib.core.audit.replays import IdempotentReplay

        return IdempotentReplay(self.stores.idempotency)

    @functools.cached_property
    def permissions(self) -> Permissions:
        """Why an account may do what it may do."""
        from chalicelib.core.directory.explain import Permissions

        return Permissions(self.accounts, self.access)

    @functools.cached_property
    def first_administrator(self) -> FirstAdministrator:
        """How an installation begins."""
        from chalicelib.core.tokens.first_administrator import FirstAdministrator

        stores = self.stores.accounts, self.stores.tokens, self.stores.services, self.stores.roles, self.stores.access
        return FirstAdministrator(*stores, self.stores.authenticators, self.verifier, lambda: self._hasher)

    @functools.cached_property
    def attempt_limiter(self) -> AttemptLimiter:
        """How often something was guessed."""
        from chalicelib.core.login.attempt_limits import AttemptLimiter

        return AttemptLimiter(self.stores.login_attempts, self.stores.audit, self.keyring)

    @functools.cached_property
    def _hasher(self) -> PasswordHasher:
        from chalicelib.core.login.password_hashing import PasswordHasher

        return PasswordHasher(self.settings.argon2)

    @functools.cached_property
    def keyring(self) -> Keyring:
        """What encrypts and signs."""
        from chalicelib.core.secrets.keyring import Keyring

        return Keyring(self.settings.tag_keys, self.settings.current_tag_key)

    @functools.cached_property
    def _second_factor_check(self) -> SecondFactorCheck:
        from chalicelib.core.login.passkeys import PasskeyCeremonies
        from chalicelib.core.login.second_factor_check import SecondFactorCheck

        passkeys = PasskeyCeremonies(self.settings.address, self.keyring)
        return SecondFactorCheck(self.keyring, passkeys, self.verifier)

    @functools.cached_property
    def access(self) -> EffectiveAccess:
        """What accounts may do."""
        from chalicelib.core.access.reader import EffectiveAccess

        return EffectiveAccess(self.stores.access, self.stores.groups, self.stores.roles)

    def _access_token_check(self) -> AccessTokenCheck | None:
        """None where no access token can have been issued."""
        return self.oauth.access_token_check if self.settings.address else None


@functools.cache
def keyturn() -> Keyturn:
    """The product as this process's environment configures it. Raises SettingsError."""
    return Keyturn(Settings.from_environment(os.environ))
