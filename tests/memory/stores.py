"""All stores on one database in memory."""

from __future__ import annotations

from tests.memory.accounts import (
    MemoryAccess,
    MemoryAccounts,
    MemoryAuthenticators,
    MemoryLoginAttempts,
    MemorySweeps,
)
from tests.memory.database import Database
from tests.memory.directory import MemoryGroups, MemoryRoles, MemoryServices
from tests.memory.events import MemoryEvents, MemoryQueues, MemoryWebhooks
from tests.memory.oauth import (
    MemoryAccessTokens,
    MemoryApprovedScopes,
    MemoryCodes,
    MemoryDelegations,
    MemoryDevices,
    MemoryTrustRules,
)
from tests.memory.tokens import (
    MemoryAccountCredentials,
    MemoryAudit,
    MemoryCredentials,
    MemoryExpirySweep,
    MemoryIdempotency,
    MemoryTokens,
)


class MemoryStores:
    """Implements `core.stores.Stores`; each instance is an installation of its own, with nothing in it."""

    def __init__(self) -> None:
        database = self.database = Database()
        self.dry_run = database.dry_run
        self.access = MemoryAccess(database)
        self.access_tokens = MemoryAccessTokens(database)
        self.account_credentials = MemoryAccountCredentials(database)
        self.accounts = MemoryAccounts(database)
        self.approved_scopes = MemoryApprovedScopes(database)
        self.audit = MemoryAudit(database)
        self.authenticators = MemoryAuthenticators(database)
        self.codes = MemoryCodes(database)
        self.credentials = MemoryCredentials(database)
        self.delegations = MemoryDelegations(database)
        self.devices = MemoryDevices(database)
        self.events = MemoryEvents(database)
        self.groups = MemoryGroups(database)
        self.login_attempts = MemoryLoginAttempts(database)
        self.idempotency = MemoryIdempotency(database)
        self.queues = MemoryQueues(database)
        self.roles = MemoryRoles(database)
        self.services = MemoryServices(database)
        self.sweeps = MemorySweeps(database)
        self.tokens = MemoryTokens(database)
        self.trust_rules = MemoryTrustRules(database)
        self.expiry_sweep = MemoryExpirySweep(database)
        self.webhooks = MemoryWebhooks(database)
