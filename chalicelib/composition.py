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
    from chalicelib.core.operations.accounts import Accounts
    from chalicelib.core.operations.audit_trail import AuditTrail
    from chalicelib.core.operations.authentication import Authentication
    from chalicelib.core.operations.effective_access import EffectiveAccess
    from chalicelib.core.operations.first_administrator import FirstAdministrator
    from chalicelib.core.operations.groups import Groups
    from chalicelib.core.operations.introspection import Introspection
    from chalicelib.core.operations.permanent_tokens import PermanentTokens
    from chalicelib.core.operations.permissions import Permissions
    from chalicelib.core.operations.repetition import Repetition
    from chalicelib.core.operations.roles import Roles
    from chalicelib.core.operations.services import Services


class Keyturn:
    """Everything that a face can ask, on the table that the settings name."""

    def __init__(self, settings: Settings) -> None:
        """No network is used yet."""
        connect(settings.table)
        self._verifier = SecretVerifier(Sealer(settings.argon2, settings.tag_keys, settings.current_tag_key))

    def warm_up(self) -> None:
        """Load what the most frequent request, an introspection, needs. No network is used."""
        _ = self.introspection
        open_client()

    @functools.cached_property
    def introspection(self) -> Introspection:
        """Is this token good for that service?"""
        from chalicelib.core.operations.credential_check import CredentialCheck
        from chalicelib.core.operations.introspection import Introspection
        from chalicelib.storage.credentials import DynamoCredentials

        credentials = DynamoCredentials()
        return Introspection(credentials, CredentialCheck(credentials, self._verifier))

    @functools.cached_property
    def authentication(self) -> Authentication:
        """Who calls Keyturn's own API with this token?"""
        from chalicelib.core.operations.authentication import Authentication
        from chalicelib.core.operations.credential_check import CredentialCheck
        from chalicelib.storage.credentials import DynamoCredentials

        credentials = DynamoCredentials()
        return Authentication(credentials, CredentialCheck(credentials, self._verifier), self._access)

    @functools.cached_property
    def accounts(self) -> Accounts:
        """Users and bots."""
        from chalicelib.core.operations.accounts import Accounts
        from chalicelib.storage.accounts import DynamoAccounts
        from chalicelib.storage.held import DynamoHeld

        return Accounts(DynamoAccounts(), DynamoHeld())

    @functools.cached_property
    def permanent_tokens(self) -> PermanentTokens:
        """Permanent tokens."""
        from chalicelib.core.operations.permanent_tokens import PermanentTokens
        from chalicelib.storage.permanent_tokens import DynamoTokens

        return PermanentTokens(DynamoTokens(), self.accounts, self.services, self._access, self._verifier)

    @functools.cached_property
    def services(self) -> Services:
        """Connected services."""
        from chalicelib.core.operations.services import Services
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.services import DynamoServices

        return Services(DynamoServices(), DynamoGroups(), self._verifier)

    @functools.cached_property
    def roles(self) -> Roles:
        """Roles and grants."""
        from chalicelib.core.operations.roles import Roles
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.held import DynamoHeld
        from chalicelib.storage.roles import DynamoRoles

        return Roles(DynamoRoles(), DynamoHeld(), DynamoGroups(), self.accounts, self.groups, self.services)

    @functools.cached_property
    def groups(self) -> Groups:
        """Groups and their members."""
        from chalicelib.core.operations.groups import Groups
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.held import DynamoHeld

        return Groups(DynamoGroups(), DynamoHeld(), self.accounts, self._access)

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

        return Permissions(self.accounts, self._access)

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
        return FirstAdministrator(*stores, self._verifier)

    @functools.cached_property
    def _access(self) -> EffectiveAccess:
        from chalicelib.core.operations.effective_access import EffectiveAccess
        from chalicelib.storage.groups import DynamoGroups
        from chalicelib.storage.held import DynamoHeld
        from chalicelib.storage.roles import DynamoRoles

        return EffectiveAccess(DynamoHeld(), DynamoGroups(), DynamoRoles())


@functools.cache
def keyturn() -> Keyturn:
    """The product as this process's environment configures it. Raises SettingsError."""
    return Keyturn(Settings.from_environment(os.environ))
