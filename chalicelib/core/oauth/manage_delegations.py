"""What services may do for accounts: begun by a code or a device, kept up by refresh tokens, listed, ended."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.audit.records import AuditRecord, failure
from chalicelib.core.common.errors import InvalidGrant, NotFound, StaleWrite, Unavailable
from chalicelib.core.common.optimistic_retry import retry_on_conflict, retry_persistently
from chalicelib.core.common.paging import Page
from chalicelib.core.oauth.access_tokens import LIFETIME_MS, Source, SourceKind
from chalicelib.core.oauth.delegations import IDLE_LIFETIME_MS, MAX_DELEGATIONS, MAX_EVICTED, Delegation, RefreshSecret
from chalicelib.core.oauth.issuance import Issued
from chalicelib.core.secrets.token_format import REFRESH_TOKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.audit.ports import AuditStore
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.common.paging import Window
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.issuance import Issuance
    from chalicelib.core.oauth.ports import ApprovedScopeStore, CodeFound, DelegationFound, DelegationStore
    from chalicelib.core.oauth.refresh_token_format import RefreshTokenFormat
    from chalicelib.core.oauth.scopes import Scopes
    from chalicelib.core.secrets.verifier import SecretVerifier

REFUSED = "The refresh token is not valid."
REPEATED = "refresh-token.repeated"  # the kind of the audit record


@dataclass(frozen=True, slots=True)
class DelegationRequest:
    """What a user has agreed to, however: `id` is that of the code or device that it began with, `kind` what the
    audit record calls that."""

    kind: str
    id: str
    client_id: str
    scope: tuple[str, ...]
    approval_id: str | None
    authenticated: int
    offline: bool
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedDelegation:
    """A delegation to be stored with its record, those that make room for it, and what the client then gets."""

    delegation: Delegation
    evicted: Sequence[Delegation]
    record: AuditRecord
    issued: Issued


@dataclass(frozen=True, slots=True)
class OwnedDelegation:
    """A delegation with the account that it is of."""

    delegation: Delegation
    owner: User


class Delegations:
    """`user` is the owner's id, login or `me`. Those without a refresh token are not listed: they end by themselves."""

    def __init__(
        self,
        delegations: DelegationStore,
        approvals: ApprovedScopeStore,
        accounts: Accounts,
        scopes: Scopes,
        tokens: RefreshTokenFormat,
        verifier: SecretVerifier,
        issuance: Issuance,
        trail: AuditStore,
    ) -> None:
        self._delegations = delegations
        self._approvals = approvals
        self._accounts = accounts
        self._scopes = scopes
        self._tokens = tokens
        self._verifier = verifier
        self._issuance = issuance
        self._trail = trail

    def begin(
        self, found: DelegationFound | CodeFound, client: Service, request: DelegationRequest, origin: Origin
    ) -> IssuedDelegation:
        """What the user agreed to begins; `found` is whose it is, and what is approved now.

        Raises InvalidGrant if the user may no longer act, or no longer approves.
        """
        owner = found.owner
        if owner is None or owner.banned:
            raise InvalidGrant("The account can no longer act.")
        refresh_token = self._tokens.issue(owner.id, request.id) if request.offline else None
        delegation = Delegation(
            id=request.id,
            user_id=owner.id,
            client_id=request.client_id,
            scope=request.scope,
            approval_id=request.approval_id,
            created=origin.now,
            authenticated=request.authenticated,
            expires=origin.now + (IDLE_LIFETIME_MS if request.offline else LIFETIME_MS),
            secrets=(RefreshSecret(self._verifier.hash_secret(refresh_token)),) if refresh_token else (),
        )
        if set(delegation.allowed(client, found.approval, origin.now)) != set(delegation.scope):
            raise InvalidGrant("This scope is no longer approved.")
        issued = self._issue(delegation, delegation.scope, origin)
        id_token = self._issuance.id_token(owner, delegation, request.nonce, origin.now)
        return IssuedDelegation(
            delegation,
            self._evicted(owner, request) if request.offline else (),
            _record(delegation, request.kind, origin),
            Issued(issued.token, issued.access_token, refresh_token, id_token),
        )

    def refresh(self, client: Service, presented: str, scope: str | None, origin: Origin) -> Issued:
        """A new access token, of no more scope than before, and a new refresh token in place of this one.

        Raises InvalidGrant or Invalid. A superseded refresh token ends its delegation, except for a short
        while after it was used, since that answer may have been lost (RFC 9700 section 4.14.2). Until then it is
        answered with the newest refresh token there is by then, as is every request of many at once.
        """
        ids = REFRESH_TOKEN.parse(presented)
        if ids is None:  # refused without asking the database
            raise InvalidGrant(REFUSED)

        hash_secret = functools.cache(self._verifier.hash_secret)  # which takes long: not at each attempt

        def attempt() -> Issued:
            found = self._delegations.find(ids[0], ids[1], client.id)
            delegation, owner = found.delegation, found.owner
            if delegation is None or owner is None or owner.banned:
                raise InvalidGrant(REFUSED)
            secret = self._live(delegation, presented, origin)
            if secret is None:
                self._end_if_replayed(delegation, presented, origin)
                raise InvalidGrant(REFUSED)
            allowed = delegation.allowed(client, found.approval, origin.now)
            if not allowed:
                raise InvalidGrant(REFUSED)
            wanted = tuple(self._scopes.narrowed(scope, (), allowed)) if scope else allowed
            newest, newest_secret, next_token = self._following(delegation, presented, secret, origin)
            if newest_secret.until is None and newest_secret is not secret:
                self._note_repeated(delegation, origin)
                new, refresh_token = delegation, newest
            else:
                new, refresh_token = (
                    delegation.refreshed(newest_secret, hash_secret(next_token), origin.now),
                    next_token,
                )
                self._delegations.replace(delegation, new, _record(new, "refresh-token.rotated", origin))
            issued = self._issue(new, wanted, origin)
            id_token = self._issuance.id_token(owner, new, None, origin.now)
            return Issued(issued.token, issued.access_token, refresh_token, id_token)

        return retry_on_conflict(attempt)

    def revoke(self, client_id: str, presented: str, origin: Origin) -> None:
        """The refresh token's delegation ends, if it is this client's (RFC 7009 section 2.1)."""
        ids = REFRESH_TOKEN.parse(presented)
        if ids is None:
            return
        found = self._delegations.find(ids[0], ids[1], client_id).delegation
        if found and self._live(found, presented, origin):
            self._end(found, "refresh-token.revoked", origin)

    def end_bought_by(self, user_id: str, code_id: str, client_id: str, origin: Origin) -> None:
        """Whatever a code has bought ends: the code came a second time (RFC 6749 section 4.1.2)."""
        found = self._delegations.find(user_id, code_id, client_id).delegation
        if found:
            self._end(found, "authorization-code.reused", origin)

    def page(self, caller: Caller, user: str, window: Window) -> Page[OwnedDelegation]:
        """A part of those with a refresh token, oldest first. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_REFRESH_TOKENS)
        listed = self._listed(owner, caller.now)
        part = listed[window.skip : window.skip + window.top]
        return Page([OwnedDelegation(each, owner) for each in part], len(listed))

    def get(self, caller: Caller, user: str, delegation_id: str) -> OwnedDelegation:
        """One of them. Raises Forbidden or NotFound."""
        owner = self._accounts.find(caller, user, Operation.READ_REFRESH_TOKENS)
        return OwnedDelegation(self._existing(owner, delegation_id, caller.now), owner)

    def delete(self, caller: Caller, user: str, delegation_id: str) -> None:
        """It ends, with its refresh token and every access token of it. Raises Forbidden or NotFound."""

        def attempt() -> None:
            owner, permit = self._accounts.permitted(caller, user, Operation.DELETE_REFRESH_TOKEN)
            delegation = self._existing(owner, delegation_id, caller.now)
            details = {"client": delegation.client_id}
            record = permit.record("refresh-token.deleted", "refresh-token", delegation.id, owner.id, details)
            self._delegations.delete(delegation, record)

        retry_persistently(attempt)

    def _issue(self, delegation: Delegation, scope: tuple[str, ...], origin: Origin) -> Issued:
        source = Source(SourceKind.DELEGATION, delegation.id, delegation.client_id)
        return self._issuance.issue(
            delegation.user_id,
            delegation.client_id,
            scope,
            source,
            origin.now,
            authenticated=delegation.authenticated,
        )

    def _following(
        self, delegation: Delegation, presented: str, secret: RefreshSecret, origin: Origin
    ) -> tuple[str, RefreshSecret, str]:
        """The newest refresh token that came after the one that is `presented`, which is that itself if none did; as
        what it is stored; and the next one."""
        token = presented
        while True:
            following = self._tokens.next_after(token, secret.hashed, delegation.user_id, delegation.id)
            stored = self._live(delegation, following, origin)
            if stored is None:
                return token, secret, following
            token, secret = following, stored

    def _note_repeated(self, delegation: Delegation, origin: Origin) -> None:
        """A thief who is as fast as the leeway leaves a trace."""
        target, client = ("refresh-token", delegation.id), delegation.client_id
        details = {"client": client}
        with contextlib.suppress(Unavailable):  # it is valid, whether this is recorded or not
            self._trail.count(
                failure(
                    REPEATED, origin.now, origin.address, target, delegation.user_id, client, delegation.id, details
                )
            )

    def _live(self, delegation: Delegation, presented: str, origin: Origin) -> RefreshSecret | None:
        for secret in delegation.secrets:
            if secret.is_valid(origin.now) and self._verifier.verify(presented, secret.hashed, origin.now):
                return secret
        return None

    def _end_if_replayed(self, delegation: Delegation, presented: str, origin: Origin) -> None:
        if delegation.knows_all(origin.now) and self._tokens.is_ours(presented):
            self._end(delegation, "refresh-token.reused", origin)

    def _end(self, delegation: Delegation, kind: str, origin: Origin) -> None:
        try:
            self._delegations.delete(delegation, _record(delegation, kind, origin))
        except StaleWrite:  # it is gone already
            return

    def _evicted(self, owner: User, request: DelegationRequest) -> Sequence[Delegation]:
        known = [each for each in self._delegations.list(owner.id, request.client_id) if each.offline]
        known.sort(key=lambda each: each.last_used or each.created)
        return known[: min(MAX_EVICTED, max(0, len(known) + 1 - MAX_DELEGATIONS))]

    def _listed(self, owner: User, now: int) -> list[Delegation]:
        """Those that are neither over, nor have ended with their approval and are only still stored."""
        found = [each for each in self._delegations.list(owner.id) if each.offline and now < each.expires]
        if all(each.approval_id is None for each in found):
            return found
        approved = {None, *(each.id for each in self._approvals.list(owner.id) if now < each.expires)}
        return [each for each in found if each.approval_id in approved]

    def _existing(self, owner: User, delegation_id: str, now: int) -> Delegation:
        for delegation in self._listed(owner, now):
            if delegation.id == delegation_id:
                return delegation
        raise NotFound("refresh token", delegation_id)


def _record(delegation: Delegation, kind: str, origin: Origin) -> AuditRecord:
    """Done by the client that presented something, for the account."""
    return AuditRecord(
        kind=kind,
        at=origin.now,
        actor_id=delegation.client_id,
        credential_id=delegation.id,
        address=origin.address,
        target_kind="refresh-token",
        target_id=delegation.id,
        owner_id=delegation.user_id,
        details={"client": delegation.client_id, "scope": " ".join(delegation.scope)},
    )
