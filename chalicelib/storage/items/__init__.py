"""What each kind of thing looks like in the table, and how it becomes a thing of the core and back.

All kinds are known as soon as one is: PynamoDB reads an item of any kind by its `kind`.
"""

from chalicelib.storage.items.accounts import (
    BETWEEN,
    BY_NAME,
    GRANTS,
    TRAITS,
    USERS,
    EntryItem,
    GrantItem,
    GroupGrantItem,
    MemberItem,
    UserItem,
    entries_of,
    members_of,
    owned_by,
)
from chalicelib.storage.items.credentials import (
    ApplicationPasswordItem,
    AttemptsItem,
    AuthenticatorsItem,
    CredentialItem,
    MarkItem,
    SessionItem,
    TokenItem,
    moment,
)
from chalicelib.storage.items.directory import GROUPS, ROLES, SERVICES, GroupItem, RoleItem, ServiceItem
from chalicelib.storage.items.oauth import (
    ApprovedScopeItem,
    AuthorizationCodeItem,
    DelegationItem,
    DeviceItem,
    TrustRuleItem,
)
from chalicelib.storage.items.shared import CounterItem, NameItem
from chalicelib.storage.items.trail import AuditItem, OnceItem, acts_of

__all__ = [
    "BETWEEN",
    "BY_NAME",
    "GRANTS",
    "GROUPS",
    "ROLES",
    "SERVICES",
    "TRAITS",
    "USERS",
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
    "EntryItem",
    "GrantItem",
    "GroupGrantItem",
    "GroupItem",
    "MarkItem",
    "MemberItem",
    "NameItem",
    "OnceItem",
    "RoleItem",
    "ServiceItem",
    "SessionItem",
    "TokenItem",
    "TrustRuleItem",
    "UserItem",
    "acts_of",
    "entries_of",
    "members_of",
    "moment",
    "owned_by",
]
