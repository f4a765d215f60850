"""All that the core needs of storage, as one thing: the ports of each capability, by name.

Every method of a port that writes takes the audit record of the change and writes both in one transaction, or
neither; it raises Replayed if the record carries a client's key that was used before. All reads are
strongly consistent except the pages of whole collections.

Who implements them is chosen where the parts are put together (`chalicelib.composition.keyturn`): DynamoDB
(`storage.stores`), or the memory of a test's process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from chalicelib.core.access.ports import AccessStore, AccountStore, GroupStore, RoleStore
    from chalicelib.core.audit.ports import AuditStore, IdempotencyStore
    from chalicelib.core.directory.ports import ServiceStore, SweepStore
    from chalicelib.core.login.ports import AccountCredentialStore, AuthenticatorStore, LoginAttemptStore
    from chalicelib.core.oauth.ports import (
        AccessTokenStore,
        ApprovedScopeStore,
        CodeStore,
        DelegationStore,
        DeviceStore,
        TrustRuleStore,
    )
    from chalicelib.core.tokens.ports import ExpirySweepStore, TokenStore
    from chalicelib.core.verification.ports import CredentialStore
    from chalicelib.core.webhooks.ports import EventStore, QueueStore, WebhookStore


class Stores(Protocol):
    """One of each. Each looks at the same data: what one writes, the others read."""

    def dry_run(self, on: bool) -> AbstractContextManager[None]:
        """Within, if `on`, every change that leaves an audit record is refused as it would be, and else not made: its
        conditions are looked at, and nothing is written, nor cleared away afterwards. What only counts or notes is
        written as always: attempts, refusals, when something was used. One within another holds until it ends. It
        holds for the thread that entered it."""

    @property
    def access(self) -> AccessStore: ...
    @property
    def access_tokens(self) -> AccessTokenStore: ...
    @property
    def account_credentials(self) -> AccountCredentialStore: ...
    @property
    def accounts(self) -> AccountStore: ...
    @property
    def approved_scopes(self) -> ApprovedScopeStore: ...
    @property
    def audit(self) -> AuditStore: ...
    @property
    def authenticators(self) -> AuthenticatorStore: ...
    @property
    def codes(self) -> CodeStore: ...
    @property
    def credentials(self) -> CredentialStore: ...
    @property
    def delegations(self) -> DelegationStore: ...
    @property
    def devices(self) -> DeviceStore: ...
    @property
    def events(self) -> EventStore: ...
    @property
    def groups(self) -> GroupStore: ...
    @property
    def login_attempts(self) -> LoginAttemptStore: ...
    @property
    def idempotency(self) -> IdempotencyStore: ...
    @property
    def queues(self) -> QueueStore: ...
    @property
    def roles(self) -> RoleStore: ...
    @property
    def services(self) -> ServiceStore: ...
    @property
    def sweeps(self) -> SweepStore: ...
    @property
    def tokens(self) -> TokenStore: ...
    @property
    def trust_rules(self) -> TrustRuleStore: ...
    @property
    def expiry_sweep(self) -> ExpirySweepStore: ...
    @property
    def webhooks(self) -> WebhookStore: ...
