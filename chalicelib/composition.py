"""Where the parts are put together: the core's operations on DynamoDB, for the life of a process.

Each part is imported when it is first asked for: a cold start that answers one introspection loads
nothing of what only administrators need.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from chalicelib.core.credentials.sealing import Sealer
from chalicelib.core.credentials.verifier import SecretVerifier
from chalicelib.settings import Settings
from chalicelib.storage.table import connect, open_client

if TYPE_CHECKING:
    from chalicelib.composition_lifecycle import TokenLifecycle
    from chalicelib.composition_oauth import OAuth
    from chalicelib.core.credentials.keyring import Keyring
    from chalicelib.core.credentials.passwords import PasswordHasher
    from chalicelib.core.operations.accounts import Accounts
    from chalicelib.core.operations.all_grants import AllGrants
    from chalicelib.core.operations.application_passwords import ApplicationPasswords
    from chalicelib.core.operations.audit_trail import AuditTrail
    from chalicelib.core.operations.authentication import Authentication
    from chalicelib.core.operations.credential_check import CredentialCheck
    from chalicelib.core.operations.effective_access import EffectiveAccess
    from chalicelib.core.operations.exposure import Exposure
    from chalicelib.core.operations.first_administrator import FirstAdministrator
    from chalicelib.core.operations.groups import Groups
    from chalicelib.core.operations.guesses import Guesses
    from chalicelib.core.operations.introspection import Introspection
    from chalicelib.core.operations.login import Login
    from chalicelib.core.operations.oauth.access_token_check import AccessTokenCheck
    from chalicelib.core.operations.passwords import Passwords
    from chalicelib.core.operations.permanent_tokens import PermanentTokens
    from chalicelib.core.operations.permissions import Permissions
    from chalicelib.core.operations.policies_in_force import PoliciesInForce
    from chalicelib.core.operations.repetition import Repetition
    from chalicelib.core.operations.roles import Roles
    from chalicelib.core.operations.rotation import Rotation
    from chalicelib.core.operations.second_factor_check import SecondFactorCheck
    from chalicelib.core.operations.second_factors import SecondFactors
    from chalicelib.core.operations.services import Services
    from chalicelib.core.operations.sessions import Sessions


class Keyturn:
    """Everything that a face can ask, on the table that the settings name."""

    def __init__(self, settings: Settings) -> None:
        """No network is used yet."""
        connect(settings.table)
        self.settings = settings
        self.verifier = SecretVerifier(Sealer(settings.argon2, settings.tag_keys, settings.current_tag_key))

    def warm_up(self) -> None:
        """Load what the most frequent request, an introspection, needs. No network is used."""
        _ = self.introspection
        open_client()

    @functools.cached_property
    def introspection(self) -> Introspection:
        """Is this token good for that service?"""
        from chalicelib.core.operations.introspection import Introspection
        from chalicelib.storage.credentials import DynamoCredentials

        return Introspection(DynamoCredentials(), self.credential_check, self._access_token_check)

    @functools.cached_property
    def authentication(self) -> Authentication:
        """Who calls Keyturn's own API with this token?"""
        from chalicelib.core.operations.authentication import Authentication
        from chalicelib.storage.credentials import DynamoCredentials

        return Authentication(DynamoCredentials(), self.credential_check, self.access, self._access_token_check)

    @functools.cached_property
    def credential_check(self) -> CredentialCheck:
        """Is this secret good? One for the process, which remembers what it has noted of uses."""
        from chalicelib.core.operations.credential_check import CredentialCheck
        from chalicelib.core.operations.last_use import LastUses
        from chalicelib.storage.credentials import DynamoCredentials

        credentials = DynamoCredentials()
        uses = LastUses(credentials, self.settings.last_used_window_ms)
        return CredentialCheck(credentials, self.verifier, uses, self.policies_in_force, self.exposure)

    @functools.cached_property
    def policies_in_force(self) -> PoliciesInForce:
        """What is demanded of a token."""
        from chalicelib.core.operations.policies_in_force import PoliciesInForce

        return PoliciesInForce(lambda ids: self.access.with_outer(ids))

    def exposure(self) -> Exposure:
        """What follows when a secret shows up where it should not."""
        from chalicelib.core.operations.exposure import Exposure
        from chalicelib.storage.permanent_tokens import DynamoTokens
        from chalicelib.storage.services import DynamoServices

        return Exposure(DynamoTokens(), DynamoServices(), self.policies_in_force)

    @functools.cached_property
    def lifecycle(self) -> TokenLifecycle:
        """What is demanded of tokens, what becomes of them, and who is told."""
        from chalicelib.composition_lifecycle import TokenLifecycle

        return TokenLifecycle(self, self.settings)

    @functools.cached_property
    def oauth(self) -> OAuth:
        """OAuth 2.0, and the access tokens that it issues. Raises Conflict if the settings name no address."""
        from chalicelib.composition_oauth import OAuth

        return OAuth(self, self.settings)

    @functools.cached_property
    def accounts(self) -> Accounts:
        """Users and bots."""
        from chalicelib.core.operations.accounts import Accounts
        from chalicelib.storage.accounts import DynamoAccounts
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.held import DynamoHeld

        return Accounts(DynamoAccounts(), DynamoHeld(), DynamoGroups())

    @functools.cached_property
    def permanent_tokens(self) -> PermanentTokens:
        """Permanent tokens."""
        from chalicelib.core.operations.permanent_tokens import PermanentTokens
        from chalicelib.storage.permanent_tokens import DynamoTokens

        parts = self.accounts, self.services, self.access, self.policies_in_force, self.verifier
        return PermanentTokens(DynamoTokens(), *parts)

    @functools.cached_property
    def rotation(self) -> Rotation:
        """New secrets for permanent tokens."""
        from chalicelib.core.operations.rotation import Rotation
        from chalicelib.storage.permanent_tokens import DynamoTokens

        return Rotation(DynamoTokens(), self.accounts, self.access, self.verifier)

    @functools.cached_property
    def application_passwords(self) -> ApplicationPasswords:
        """Application passwords."""
        from chalicelib.core.operations.application_passwords import ApplicationPasswords
        from chalicelib.storage.application_passwords import DynamoApplicationPasswords
        from chalicelib.storage.authenticators import DynamoAuthenticators

        stores = DynamoApplicationPasswords(), DynamoAuthenticators()
        return ApplicationPasswords(*stores, self.accounts, self.verifier)

    @functools.cached_property
    def login(self) -> Login:
        """Who proves to be the owner of an account?"""
        from chalicelib.core.operations.login import Login
        from chalicelib.storage.accounts import DynamoAccounts
        from chalicelib.storage.authenticators import DynamoAuthenticators

        stores = DynamoAccounts(), DynamoAuthenticators()
        return Login(*stores, self.guesses, self._hasher, self._second_factor_check, self.verifier)

    @functools.cached_property
    def passwords(self) -> Passwords:
        """Passwords that people choose."""
        from chalicelib.core.operations.passwords import Passwords
        from chalicelib.storage.authenticators import DynamoAuthenticators

        return Passwords(DynamoAuthenticators(), self.accounts, self.access, self._hasher, self.guesses)

    @functools.cached_property
    def second_factors(self) -> SecondFactors:
        """What else people prove when they log in."""
        from chalicelib.core.operations.second_factors import SecondFactors
        from chalicelib.storage.application_passwords import DynamoApplicationPasswords
        from chalicelib.storage.authenticators import DynamoAuthenticators

        return SecondFactors(
            DynamoAuthenticators(),
            DynamoApplicationPasswords(),
            self.accounts,
            self.access,
            self._second_factor_check,
            self.guesses,
            self.keyring,
            self.verifier,
        )

    @functools.cached_property
    def sessions(self) -> Sessions:
        """Where people are logged in."""
        from chalicelib.core.operations.sessions import Sessions
        from chalicelib.storage.authenticators import DynamoAuthenticators
        from chalicelib.storage.sessions import DynamoSessions

        return Sessions(DynamoSessions(), DynamoAuthenticators(), self.accounts)

    @functools.cached_property
    def services(self) -> Services:
        """Connected services."""
        from chalicelib.core.operations.services import Services
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.roles import DynamoRoles
        from chalicelib.storage.services import DynamoServices

        return Services(DynamoServices(), DynamoGroups(), DynamoRoles(), self.verifier)

    @functools.cached_property
    def roles(self) -> Roles:
        """Roles and grants."""
        from chalicelib.core.operations.roles import Roles
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.held import DynamoHeld
        from chalicelib.storage.roles import DynamoRoles

        return Roles(DynamoRoles(), DynamoHeld(), DynamoGroups(), self.accounts, self.groups, self.services)

    @functools.cached_property
    def all_grants(self) -> AllGrants:
        """What everybody was granted."""
        from chalicelib.core.operations.all_grants import AllGrants
        from chalicelib.storage.accounts import DynamoAccounts
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.roles import DynamoRoles

        return AllGrants(self.roles, DynamoRoles(), DynamoAccounts(), DynamoGroups())

    @functools.cached_property
    def groups(self) -> Groups:
        """Groups and their members."""
        from chalicelib.core.operations.groups import Groups
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.held import DynamoHeld

        return Groups(DynamoGroups(), DynamoHeld(), self.accounts, self.access)

    @functools.cached_property
    def audit_trail(self) -> AuditTrail:
        """Who did what."""
        from chalicelib.core.operations.audit_trail import AuditTrail
        from chalicelib.storage.audit import DynamoAudit

        return AuditTrail(DynamoAudit())

    @functools.cached_property
    def repetition(self) -> Repetition:
        """What became of a request that is sent again?"""
        from chalicelib.core.operations.repetition import Repetition
        from chalicelib.storage.once import DynamoOnce

        return Repetition(DynamoOnce())

    @functools.cached_property
    def permissions(self) -> Permissions:
        """Why an account may do what it may do."""
        from chalicelib.core.operations.permissions import Permissions

        return Permissions(self.accounts, self.access)

    @functools.cached_property
    def first_administrator(self) -> FirstAdministrator:
        """How an installation begins."""
        from chalicelib.core.operations.first_administrator import FirstAdministrator
        from chalicelib.storage.accounts import DynamoAccounts
        from chalicelib.storage.held import DynamoHeld
        from chalicelib.storage.permanent_tokens import DynamoTokens
        from chalicelib.storage.roles import DynamoRoles
        from chalicelib.storage.services import DynamoServices

        stores = DynamoAccounts(), DynamoTokens(), DynamoServices(), DynamoRoles(), DynamoHeld()
        return FirstAdministrator(*stores, self.verifier)

    @functools.cached_property
    def guesses(self) -> Guesses:
        """How often something was guessed."""
        from chalicelib.core.operations.guesses import Guesses
        from chalicelib.storage.login_attempts import DynamoLoginAttempts

        return Guesses(DynamoLoginAttempts())

    @functools.cached_property
    def _hasher(self) -> PasswordHasher:
        from chalicelib.core.credentials.passwords import PasswordHasher

        return PasswordHasher(self.settings.argon2)

    @functools.cached_property
    def keyring(self) -> Keyring:
        """What encrypts and signs."""
        from chalicelib.core.credentials.keyring import Keyring

        return Keyring(self.settings.tag_keys, self.settings.current_tag_key)

    @functools.cached_property
    def _second_factor_check(self) -> SecondFactorCheck:
        from chalicelib.core.credentials.passkeys import PasskeyCeremonies
        from chalicelib.core.operations.second_factor_check import SecondFactorCheck

        passkeys = PasskeyCeremonies(self.settings.address, self.keyring)
        return SecondFactorCheck(self.keyring, passkeys, self.verifier)

    @functools.cached_property
    def access(self) -> EffectiveAccess:
        """What accounts may do."""
        from chalicelib.core.operations.effective_access import EffectiveAccess
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.held import DynamoHeld
        from chalicelib.storage.roles import DynamoRoles

        return EffectiveAccess(DynamoHeld(), DynamoGroups(), DynamoRoles())

    def _access_token_check(self) -> AccessTokenCheck | None:
        """None where no access token can have been issued."""
        return self.oauth.access_token_check if self.settings.address else None


@functools.cache
def keyturn() -> Keyturn:
    """The product as this process's environment configures it. Raises SettingsError."""
    return Keyturn(Settings.from_environment(os.environ))
