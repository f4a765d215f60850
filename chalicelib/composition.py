"""Where the parts are put together: the core's operations on DynamoDB, for the life of a process."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from chalicelib.core.credentials.sealing import Sealer
from chalicelib.core.credentials.verifier import SecretVerifier
from chalicelib.core.operations.accounts import Accounts
from chalicelib.core.operations.authentication import Authentication
from chalicelib.core.operations.first_administrator import FirstAdministrator
from chalicelib.core.operations.permanent_tokens import PermanentTokens
from chalicelib.core.operations.roles import Roles
from chalicelib.core.operations.services import Services
from chalicelib.settings import Settings
from chalicelib.storage.accounts import DynamoAccounts
from chalicelib.storage.credentials import DynamoCredentials
from chalicelib.storage.permanent_tokens import DynamoTokens
from chalicelib.storage.roles import DynamoRoles
from chalicelib.storage.services import DynamoServices
from chalicelib.storage.table import connect


@dataclass(frozen=True, slots=True)
class Keyturn:
    """Everything that a face can ask."""

    authentication: Authentication
    accounts: Accounts
    permanent_tokens: PermanentTokens
    services: Services
    roles: Roles
    first_administrator: FirstAdministrator


def compose(settings: Settings) -> Keyturn:
    """The product, on the table that the settings name. No network is used yet."""
    connect(settings.table)
    stored_accounts, stored_roles, stored_services = DynamoAccounts(), DynamoRoles(), DynamoServices()
    stored_tokens = DynamoTokens()
    verifier = SecretVerifier(Sealer(settings.argon2, settings.tag_keys, settings.current_tag_key))
    accounts = Accounts(stored_accounts, stored_roles)
    services = Services(stored_services, verifier)
    return Keyturn(
        authentication=Authentication(DynamoCredentials(), stored_roles, verifier),
        accounts=accounts,
        permanent_tokens=PermanentTokens(stored_tokens, accounts, services, stored_roles, verifier),
        services=services,
        roles=Roles(stored_roles, accounts, services),
        first_administrator=FirstAdministrator(stored_accounts, stored_tokens, stored_services, stored_roles, verifier),
    )


@functools.cache
def keyturn() -> Keyturn:
    """The product as this process's environment configures it. Raises SettingsError."""
    return compose(Settings.from_environment(os.environ))
