"""Pipelines trade the identity tokens of their own platforms for access tokens of a bot (RFC 7523).

No secret is kept anywhere: a platform that is trusted by rule vouches for the pipeline, for minutes.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.access import references
from chalicelib.core.common.errors import Invalid, InvalidGrant, StaleWrite, Unavailable
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.oauth.access_tokens import Source, SourceKind
from chalicelib.core.oauth.ports import IssuerUnreachable
from chalicelib.core.oauth.trust_rules import Claims, Finding, TrustRule, findings, workload
from chalicelib.core.verification.last_use import LAST_USED_WINDOW_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from chalicelib.core.access.ports import AccountStore
    from chalicelib.core.oauth.federated_tokens import Assertion, FederatedTokens
    from chalicelib.core.oauth.issuance import Issuance, Issued
    from chalicelib.core.oauth.ports import TrustRuleStore
    from chalicelib.core.oauth.scopes import Scopes

REFUSED = "No trust rule of this account accepts the assertion. An administrator can test it to see why."


@dataclass(frozen=True, slots=True)
class Trial:
    """How a rule came out on an outside token."""

    rule: TrustRule
    findings: Sequence[Finding]

    @property
    def matched(self) -> bool:
        """Whether the token would be accepted."""
        return all(finding.passed for finding in self.findings)


class Federation:
    """Judges outside tokens by the rules of the account that they are presented for."""

    def __init__(
        self,
        rules: TrustRuleStore,
        accounts: AccountStore,
        tokens: FederatedTokens,
        scopes: Scopes,
        issuance: Issuance,
    ) -> None:
        self._rules = rules
        self._accounts = accounts
        self._tokens = tokens
        self._scopes = scopes
        self._issuance = issuance

    def exchange(self, account: str, assertion: str, scope: str | None, now: int) -> Issued:
        """An access token of `account` (an id or login), for no more than the rule allows.

        Raises InvalidGrant, or Invalid (`scope`). Keys are fetched only from issuers that the account trusts.
        """
        user = references.account(self._accounts, account)
        if user is None or user.banned:
            raise InvalidGrant(REFUSED)
        presented = self._tokens.read(assertion)
        trials = self._trials(self._rules.list(user.id), presented, now) if presented else ()
        rule = next((trial.rule for trial in trials if trial.matched), None)
        if presented is None or rule is None:
            raise InvalidGrant(REFUSED)
        wanted = tuple(self._scopes.narrowed(scope, (), rule.scope)) if scope else rule.scope
        if rule.last_used is None or now - rule.last_used >= LAST_USED_WINDOW_MS:
            with contextlib.suppress(StaleWrite, Unavailable):  # it is valid, whether this is recorded or not
                self._rules.mark_used(rule, now)
        source = Source(SourceKind.TRUST_RULE, rule.id, since=rule.since)
        return self._issuance.issue(user.id, KEYTURN, wanted, source, now, workload=workload(presented.claims))

    def trials(self, rules: Sequence[TrustRule], assertion: str, now: int) -> list[Trial]:
        """How each rule comes out. Raises Invalid (`assertion`) if this is no JWT at all."""
        read = self._tokens.read(assertion)
        if read is None:
            raise Invalid("assertion", "is not a JSON Web Token.")
        return list(self._trials(rules, read, now))

    def _trials(self, rules: Sequence[TrustRule], assertion: Assertion, now: int) -> Iterator[Trial]:
        return (Trial(rule, self._findings(rule, assertion, now)) for rule in rules)

    def _findings(self, rule: TrustRule, assertion: Assertion, now: int) -> list[Finding]:
        """The claims are looked at first: only if they would match are the issuer's keys worth fetching."""
        claims: Claims = assertion.claims
        found = findings(rule, claims, now)
        if not all(finding.passed for finding in found):
            return found
        try:
            problem = self._tokens.problem_with(assertion, rule.issuer, rule.keys)
        except IssuerUnreachable as error:
            problem = str(error)
        return [*found, Finding("signature", problem is None, problem or "signed by a key of the issuer")]
