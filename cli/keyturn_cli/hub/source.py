"""What a Hub has, read by its REST API ("Hub REST API Reference"). Nothing is changed there.

Keyturn answers in the same shapes, so that one client asks both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keyturn_cli.api import Api, collection, part

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "id,key,name,applicationName,vendor,version,homeUrl,baseUrls,redirectUris,iconUrl,trusted"
GROUP = "id,name,allUsers,parent(id),requiredTwoFactorAuthentication"
ACCOUNT = "id,login,name,guest,banned,banReason,profile(email(email)),groups(id)"
TOKEN = "id,name,scope(id,name),author(id,login,name),creationTime,lastAccessTime"

Raw = dict[str, Any]  # as the API answers


@dataclass
class Holdings:
    """All that is moved. Tokens are those of the account with this id."""

    services: list[Raw]
    groups: list[Raw]
    accounts: list[Raw]
    tokens: dict[str, list[Raw]] = field(default_factory=dict)


def read(hub: Api, told: Callable[[str], None]) -> Holdings:
    """Everything that is moved; `told` hears what is being read. Raises Problem."""
    told("services")
    services = collection(hub, "/services", SERVICE)
    told("groups")
    groups = collection(hub, "/usergroups", GROUP)
    told("accounts")
    accounts = [each for each in collection(hub, "/users", ACCOUNT) if not each.get("guest")]
    holdings = Holdings(services, groups, accounts)
    for number, account in enumerate(accounts, start=1):
        told(f"tokens of account {number} of {len(accounts)}")
        tokens = collection(hub, f"/users/{part(account['id'])}/permanenttokens", TOKEN)
        if tokens:
            holdings.tokens[account["id"]] = tokens
    return holdings
