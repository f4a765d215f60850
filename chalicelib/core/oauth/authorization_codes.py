"""Authorization codes: issued to a service through the user's browser, and redeemed by the service, once.

Sources: RFC 6749 section 4.1, RFC 7636 (every code is bound to a challenge), RFC 9700 section 2.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access.rules import Operation
from chalicelib.core.common.errors import InvalidGrant
from chalicelib.core.common.identifiers import new_id
from chalicelib.core.common.optimistic_retry import retry_on_conflict
from chalicelib.core.oauth.delegations import CODE_LIFETIME_MS, AuthorizationCode, needs_no_consent
from chalicelib.core.oauth.manage_delegations import DelegationRequest
from chalicelib.core.secrets.digests import digest, is_digest_of
from chalicelib.core.secrets.token_format import AUTHORIZATION_CODE

if TYPE_CHECKING:
    from chalicelib.core.access.caller import Caller
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.directory.accounts import Accounts
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.approved_scopes import ApprovedScopes
    from chalicelib.core.oauth.issuance import Issued
    from chalicelib.core.oauth.manage_delegations import Delegations
    from chalicelib.core.oauth.ports import CodeStore
    from chalicelib.core.oauth.scopes import RequestedScope, Scopes

REFUSED = "The authorization code is not valid."


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a service asks of a user through the browser. `redirect_uri` None if it was left out."""

    client: Service
    scope: RequestedScope
    redirect_uri: str | None
    challenge: str
    nonce: str | None
    offline: bool


class AuthorizationCodes:
    """Issues and redeems."""

    def __init__(
        self,
        codes: CodeStore,
        accounts: Accounts,
        approved: ApprovedScopes,
        scopes: Scopes,
        delegations: Delegations,
    ) -> None:
        self._codes = codes
        self._accounts = accounts
        self._approved = approved
        self._scopes = scopes
        self._delegations = delegations

    def require_allowed(self, caller: Caller, request: AuthorizationRequest) -> None:
        """Raises Invalid (`scope`) or Forbidden if the caller cannot approve this."""
        caller.check(Operation.APPROVE_SERVICE, caller.user.id)
        self._scopes.require_visible(caller, request.client, request.scope)

    def needs_consent(self, caller: Caller, request: AuthorizationRequest) -> bool:
        """Whether the caller has to be asked. Raises as `require_allowed`."""
        self.require_allowed(caller, request)
        if needs_no_consent(request.client, request.scope.values):
            return False
        return self._approved.covering(caller, request.client, request.scope.values, request.offline) is None

    def issue(self, caller: Caller, request: AuthorizationRequest) -> str:
        """A code, for what the caller has approved. Raises Invalid, Forbidden or InvalidGrant (not approved)."""

        def attempt() -> str:
            owner, permit = self._accounts.permitted(caller, caller.user.id, Operation.APPROVE_SERVICE)
            self._scopes.require_visible(caller, request.client, request.scope)
            approval = self._approved.covering(caller, request.client, request.scope.values, request.offline)
            if approval is None and not needs_no_consent(request.client, request.scope.values):
                raise InvalidGrant("This scope is not approved.")
            id = new_id()
            secret = AUTHORIZATION_CODE.issue(owner.id, id)
            code = AuthorizationCode(
                id=id,
                user_id=owner.id,
                client_id=request.client.id,
                redirect_uri=request.redirect_uri,
                scope=request.scope.values,
                challenge=request.challenge,
                nonce=request.nonce,
                offline=request.offline,
                approval_id=approval.id if approval else None,
                authenticated=caller.logged_in_at or caller.now,
                expires=caller.now + CODE_LIFETIME_MS,
                digest=digest(secret),
            )
            details = {"client": code.client_id, "scope": " ".join(code.scope)}
            record = permit.record("authorization-code.issued", "authorization-code", id, owner.id, details)
            self._codes.create(code, owner, record)
            return secret

        return retry_on_conflict(attempt)

    def recognise(self, client: Service, presented: str, origin: Origin) -> AuthorizationCode | None:
        """The code, if it is this client's and still good.

        One that was used before ends what it bought then: somebody has a copy (RFC 6749 section 4.1.2).
        """
        ids = AUTHORIZATION_CODE.parse(presented)
        if ids is None:  # refused without asking the database
            return None
        found = self._codes.find(ids[0], ids[1], client.id)
        code, owner = found.code, found.owner
        if code is None or owner is None or owner.banned or code.client_id != client.id:
            return None
        if not is_digest_of(code.digest, presented):
            return None
        if code.used:
            self._delegations.end_bought_by(owner.id, code.id, client.id, origin)
            return None
        return code if origin.now < code.expires else None

    def redeem(self, client: Service, code: AuthorizationCode, origin: Origin) -> Issued:
        """What the code, which was recognised, buys. Raises InvalidGrant if it was used meanwhile, or is no
        longer approved."""

        def attempt() -> Issued:
            found = self._codes.find(code.user_id, code.id, client.id)
            if found.code is None:
                raise InvalidGrant(REFUSED)
            if found.code.used:
                self._delegations.end_bought_by(code.user_id, code.id, client.id, origin)
                raise InvalidGrant(REFUSED)
            request = DelegationRequest(
                kind="authorization-code.redeemed",
                id=code.id,
                client_id=code.client_id,
                scope=code.scope,
                approval_id=code.approval_id,
                authenticated=code.authenticated,
                offline=code.offline,
                nonce=code.nonce,
            )
            issued = self._delegations.begin(found, client, request, origin)
            self._codes.redeem(code, issued.delegation, issued.evicted, issued.record)
            return issued.issued

        return retry_on_conflict(attempt)
