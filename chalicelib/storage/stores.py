"""The core's stores on DynamoDB. Each is imported when it is first asked for: a cold start loads only what it needs."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from chalicelib.storage.access import DynamoAccess
    from chalicelib.storage.access_tokens import DynamoAccessTokens
    from chalicelib.storage.account_credentials import DynamoAccountCredentials
    from chalicelib.storage.accounts import DynamoAccounts
    from chalicelib.storage.audit import DynamoAudit
    from chalicelib.storage.authenticators import DynamoAuthenticators
    from chalicelib.storage.authorization_codes import DynamoCodes
    from chalicelib.storage.credentials import DynamoCredentials
    from chalicelib.storage.delegations import DynamoApprovedScopes, DynamoDelegations
    from chalicelib.storage.devices import DynamoDevices
    from chalicelib.storage.events import DynamoEvents, DynamoQueues
    from chalicelib.storage.expiry_sweep import DynamoExpirySweep
    from chalicelib.storage.groups import DynamoGroups
    from chalicelib.storage.idempotency import DynamoIdempotency
    from chalicelib.storage.login_attempts import DynamoLoginAttempts
    from chalicelib.storage.permanent_tokens import DynamoTokens
    from chalicelib.storage.roles import DynamoRoles
    from chalicelib.storage.services import DynamoServices
    from chalicelib.storage.sweeps import DynamoSweeps
    from chalicelib.storage.trust_rules import DynamoTrustRules
    from chalicelib.storage.webhooks import DynamoWebhooks


class DynamoStores:
    """Implements `core.stores.Stores`, on the table that this process is connected to."""

    def dry_run(self, on: bool) -> AbstractContextManager[None]:
        from chalicelib.storage.transaction import dry_run

        return dry_run(on)

    @functools.cached_property
    def access(self) -> DynamoAccess:
        from chalicelib.storage.access import DynamoAccess

        return DynamoAccess()

    @functools.cached_property
    def access_tokens(self) -> DynamoAccessTokens:
        from chalicelib.storage.access_tokens import DynamoAccessTokens

        return DynamoAccessTokens()

    @functools.cached_property
    def accounts(self) -> DynamoAccounts:
        from chalicelib.storage.accounts import DynamoAccounts

        return DynamoAccounts()

    @functools.cached_property
    def account_credentials(self) -> DynamoAccountCredentials:
        from chalicelib.storage.account_credentials import DynamoAccountCredentials

        return DynamoAccountCredentials()

    @functools.cached_property
    def approved_scopes(self) -> DynamoApprovedScopes:
        from chalicelib.storage.delegations import DynamoApprovedScopes

        return DynamoApprovedScopes()

    @functools.cached_property
    def audit(self) -> DynamoAudit:
        from chalicelib.storage.audit import DynamoAudit

        return DynamoAudit()

    @functools.cached_property
    def authenticators(self) -> DynamoAuthenticators:
        from chalicelib.storage.authenticators import DynamoAuthenticators

        return DynamoAuthenticators()

    @functools.cached_property
    def codes(self) -> DynamoCodes:
        from chalicelib.storage.authorization_codes import DynamoCodes

        return DynamoCodes()

    @functools.cached_property
    def credentials(self) -> DynamoCredentials:
        from chalicelib.storage.credentials import DynamoCredentials

        return DynamoCredentials()

    @functools.cached_property
    def delegations(self) -> DynamoDelegations:
        from chalicelib.storage.delegations import DynamoDelegations

        return DynamoDelegations()

    @functools.cached_property
    def devices(self) -> DynamoDevices:
        from chalicelib.storage.devices import DynamoDevices

        return DynamoDevices()

    @functools.cached_property
    def events(self) -> DynamoEvents:
        from chalicelib.storage.events import DynamoEvents

        return DynamoEvents()

    @functools.cached_property
    def groups(self) -> DynamoGroups:
        from chalicelib.storage.groups import DynamoGroups

        return DynamoGroups()

    @functools.cached_property
    def login_attempts(self) -> DynamoLoginAttempts:
        from chalicelib.storage.login_attempts import DynamoLoginAttempts

        return DynamoLoginAttempts()

    @functools.cached_property
    def idempotency(self) -> DynamoIdempotency:
        from chalicelib.storage.idempotency import DynamoIdempotency

        return DynamoIdempotency()

    @functools.cached_property
    def queues(self) -> DynamoQueues:
        from chalicelib.storage.events import DynamoQueues

        return DynamoQueues()

    @functools.cached_property
    def roles(self) -> DynamoRoles:
        from chalicelib.storage.roles import DynamoRoles

        return DynamoRoles()

    @functools.cached_property
    def services(self) -> DynamoServices:
        from chalicelib.storage.services import DynamoServices

        return DynamoServices()

    @functools.cached_property
    def sweeps(self) -> DynamoSweeps:
        from chalicelib.storage.sweeps import DynamoSweeps

        return DynamoSweeps()

    @functools.cached_property
    def tokens(self) -> DynamoTokens:
        from chalicelib.storage.permanent_tokens import DynamoTokens

        return DynamoTokens()

    @functools.cached_property
    def trust_rules(self) -> DynamoTrustRules:
        from chalicelib.storage.trust_rules import DynamoTrustRules

        return DynamoTrustRules()

    @functools.cached_property
    def expiry_sweep(self) -> DynamoExpirySweep:
        from chalicelib.storage.expiry_sweep import DynamoExpirySweep

        return DynamoExpirySweep()

    @functools.cached_property
    def webhooks(self) -> DynamoWebhooks:
        from chalicelib.storage.webhooks import DynamoWebhooks

        return DynamoWebhooks()
