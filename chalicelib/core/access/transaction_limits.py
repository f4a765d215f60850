"""How much one change may rest on and touch, where it is the sum that counts.

A change is one transaction of the storage. It looks at or writes a bounded number of things, and what would need more
is refused before anything is written, as a Conflict that names the sum. That concerns only what is made or grows:
to take something away needs a few steps, whatever hangs on it, since what hangs on it is swept afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.core.common.errors import Conflict

if TYPE_CHECKING:
    from chalicelib.core.access.effective import Access

MAX_STEPS = 100  # of one transaction. Source: DynamoDB's API reference, "TransactWriteItems"
# The audit record, the client's key, the event, the account, the thing, its old and new name, its old and new place,
# a count: no change takes all of them.
MAX_FIXED = 10
MAX_TOGETHER = MAX_STEPS - MAX_FIXED  # groups and roles that were compared, and labels or memberships that change


def require_room(required_permissions: Access, besides: int = 0) -> None:
    """Raises Conflict if a change cannot insist on all of `required_permissions` while it writes so many things
    `besides`, such as labels, or memberships by a login."""
    groups, roles = len(required_permissions.groups), len(required_permissions.roles)
    if groups + roles + besides > MAX_TOGETHER:
        also = f" and changes {besides} labels or memberships" if besides else ""
        raise Conflict(
            f"This depends on {groups} groups and {roles} roles{also}: more than {MAX_TOGETHER} in total cannot be "
            "compared safely. The account itself, or an account with every permission, can do it."
        )
