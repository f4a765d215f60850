"""What a Hub has, read by its REST API ("Hub REST API Reference"). Nothing is changed there.

Keyturn answers in the same shapes, so that one client asks both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keyturn_cli.api import Api, collection, part
from keyturn_cli.errors import Problem

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
    services = _all(hub, "/services", SERVICE)
    told("groups")
    groups = _all(hub, "/usergroups", GROUP)
    told("accounts")
    accounts = [each for each in _all(hub, "/users", ACCOUNT, "login") if not each.get("guest")]
    holdings = Holdings(services, groups, accounts)
    for number, account in enumerate(accounts, start=1):
        told(f"tokens of account {number} of {len(accounts)}")
        tokens = _all(hub, f"/users/{part(account['id'])}/permanenttokens", TOKEN)
        if tokens:
            holdings.tokens[account["id"]] = tokens
    return holdings


def _all(hub: Api, path: str, fields: str, name: str = "name") -> list[Raw]:
    """All members, each of which has an id and a name. Raises Problem: Hub leaves out what the caller may not see."""
    members = collection(hub, path, fields)
    for wanted in ("id", name):
        if not all(isinstance(each.get(wanted), str) for each in members):
            raise Problem(f"The Hub does not tell the {wanted} of all {path[1:]}. Is HUB_TOKEN an administrator's?")
    return members
