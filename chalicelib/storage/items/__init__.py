"""What each kind of thing looks like in the table, and how it becomes a thing of the core and back.

All kinds are known as soon as one is: PynamoDB reads an item of any kind by its `kind`.
"""

from chalicelib.storage.items.accounts import (
    BETWEEN,
    BY_NAME,
    GRANTS,
    TRAITS,
    USERS,
    GrantItem,
    GroupGrantItem,
    IndexEntryItem,
    MemberItem,
    UserItem,
    entries_of,
    members_of,
    owned_by,
)
from chalicelib.storage.items.audit import AuditItem, IdempotencyItem, acts_of
from chalicelib.storage.items.bookkeeping import (
    SWEEPS,
    CounterItem,
    FormerLoginItem,
    MigrationsItem,
    NameItem,
    SweepItem,
)
from chalicelib.storage.items.credentials import CredentialItem, moment
from chalicelib.storage.items.directory import GROUPS, ROLES, SERVICES, GroupItem, RoleItem, ServiceItem
from chalicelib.storage.items.events import (
    OUTGOING,
    WEBHOOKS,
    EventItem,
    ExpirySweepItem,
    OutgoingItem,
    WebhookItem,
    given_up_text,
)
from chalicelib.storage.items.login import (
    ApplicationPasswordItem,
    AttemptsItem,
    AuthenticatorsItem,
    OneTimeMarkerItem,
    SessionItem,
)
from chalicelib.storage.items.oauth import (
    ApprovedScopeItem,
    AuthorizationCodeItem,
    DelegationItem,
    DeviceItem,
    TrustRuleItem,
)
from chalicelib.storage.items.stored_kinds import STORED_KINDS
from chalicelib.storage.items.tokens import TOKENS, TokenItem, TokenLabelItem, labelled, last_use_text

__all__ = [
    "BETWEEN",
    "BY_NAME",
    "GRANTS",
    "GROUPS",
    "OUTGOING",
    "ROLES",
    "SERVICES",
    "STORED_KINDS",
    "SWEEPS",
    "TOKENS",
    "TRAITS",
    "USERS",
    "WEBHOOKS",
    "ApplicationPasswordItem",
    "ApprovedScopeItem",
    "AttemptsItem",
    "AuditItem",
    "AuthenticatorsItem",
    "AuthorizationCodeItem",
    "CounterItem",
    "CredentialItem",
    "DelegationItem",
    "DeviceItem",
    "EventItem",
    "ExpirySweepItem",
    "FormerLoginItem",
    "GrantItem",
    "GroupGrantItem",
    "GroupItem",
    "IdempotencyItem",
    "IndexEntryItem",
    "MemberItem",
    "MigrationsItem",
    "NameItem",
    "OneTimeMarkerItem",
    "OutgoingItem",
    "RoleItem",
    "ServiceItem",
    "SessionItem",
    "SweepItem",
    "TokenItem",
    "TokenLabelItem",
    "TrustRuleItem",
    "UserItem",
    "WebhookItem",
    "acts_of",
    "entries_of",
    "given_up_text",
    "labelled",
    "last_use_text",
    "members_of",
    "moment",
    "owned_by",
]
