"""What users have approved for connected services: asked for once, listed, and taken back."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import NotFound, Unavailable
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import retry_on_conflict, retry_persistently
from chalicelib.core.common.paging import Page
from chalicelib.core.oauth.delegations import APPROVAL_LIFETIME_MS, ApprovedScope
from chalicelib.core.oauth.ports import Approving

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller, Permit
    from chalicelib.core.common.paging import Window
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.ports import ApprovedScopeStore, DelegationStore


@dataclass(frozen=True, slots=True)
class OwnedApproval:
    """An approved scope with the account that approved."""

    approval: ApprovedScope
    owner: User


class ApprovedScopes:
    """`user` is the owner's id, login or `me`."""

    def __init__(self, approvals: ApprovedScopeStore, delegations: DelegationStore, accounts: Accounts) -> None:
        self._approvals = approvals
        self._delegations = delegations
        self._accounts = accounts

    def covering(
        self, caller: Caller, client: Service, scope: tuple[str, ...], offline: bool = False
    ) -> ApprovedScope | None:
        """The caller's approval that covers this, if there is one. `offline`: with a refresh token."""
        approval = self._approvals.get(caller.user.id, client.id)
        return approval if approval and approval.covers(client, scope, offline, caller.now) else None

    def approve(self, caller: Caller, client: Service, scope: tuple[str, ...], offline: bool = False) -> ApprovedScope:
        """The caller, who was shown to what address the service's codes go, lets it do this, besides what was approved
        before, from now until its end date. What was approved before somebody changed who gets the codes has to be
        approved again.

        Raises Forbidden unless the caller has logged in.
        """

        def attempt() -> ApprovedScope:
            owner, permit = self._accounts.permitted(caller, caller.user.id, Operation.APPROVE_SERVICE)
            approving = self.approving(owner, permit, client, scope, offline, shown=True)
            self._approvals.approve(approving.old, approving.new, owner, approving.audit)
            return approving.new

        return retry_on_conflict(attempt)

    def approving(
        self, owner: User, permit: Permit, client: Service, scope: tuple[str, ...], offline: bool, shown: bool
    ) -> Approving:
        """What is to be stored when the owner approves this. `shown`: after an address for the service's codes was;
        else that it was changed is not known after this approval either, and nothing of what was approved goes."""
        now = permit.caller.now
        old = self._approvals.get(owner.id, client.id)
        new = ApprovedScope(new_id(), owner.id, client.id, scope, now, now + APPROVAL_LIFETIME_MS, offline)
        if old and now < old.expires:
            new = replace(new, id=old.id, created=old.created, shown=old.shown)
            if old.knows(client) or not shown:
                both = tuple(dict.fromkeys((*old.scope, *scope)))
                new = replace(new, scope=both, offline=offline or old.offline)
        # Else under another id, so that nothing that hung on the old one comes back to life.
        new = replace(new, shown=now if shown else new.shown, revision=old.revision + 1 if old else 1)
        details = {"client": client.id, "scope": " ".join(new.scope), **({"offline": "yes"} if new.offline else {})}
        record = permit.record("approved-scope.approved", "approved-scope", new.id, owner.id, details)
        return Approving(old, new, owner, record)

    def page(self, caller: Caller, user: str, window: Window) -> Page[OwnedApproval]:
        """A part of those that have not ended, oldest first. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_APPROVED_SCOPES)
        alive = [each for each in self._approvals.list(owner.id) if caller.now < each.expires]
        part = alive[window.skip : window.skip + window.top]
        return Page([OwnedApproval(each, owner) for each in part], len(alive))

    def get(self, caller: Caller, user: str, approval_id: str) -> OwnedApproval:
        """One of them. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_APPROVED_SCOPES)
        return OwnedApproval(self._existing(owner, approval_id, caller.now), owner)

    def delete(self, caller: Caller, user: str, approval_id: str) -> None:
        """It ends, with every delegation and access token that hangs on it. Raises Forbidden or NotFound."""

        def attempt() -> ApprovedScope:
            owner, permit = self._accounts.permitted(caller, user, Operation.DELETE_APPROVED_SCOPE)
            approval = self._existing(owner, approval_id, caller.now)
            details = {"client": approval.client_id}
            record = permit.record("approved-scope.deleted", "approved-scope", approval.id, owner.id, details)
            self._approvals.delete(approval, record)
            return approval

        approval = retry_persistently(attempt)
        with contextlib.suppress(Unavailable):  # they have ended with it, whether they are removed now or by their end
            self._delegations.sweep(approval)

    def _existing(self, owner: User, approval_id: str, now: int) -> ApprovedScope:
        for approval in self._approvals.list(owner.id):
            if approval.id == approval_id and now < approval.expires:
                return approval
        raise NotFound("approved scope", approval_id)
