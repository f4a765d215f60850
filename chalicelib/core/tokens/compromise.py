"""A secret is compromised: a retired one is presented, or one is found in public.

A retired secret is *reused* if a later one of its token had been in use: then whoever has the token's secret has it
from elsewhere. Until then it may well come from the client itself, whose answer with the later one was lost; and one
that was rolled back was given up on purpose, and may still be where it was delivered to. Both are refused like every
other, and recorded once in a quarter of an hour; nothing else follows. ADR 17 has the reasons.

What was reused or found is recorded, and raised as an event, at most once an hour and token; and the token is revoked
where a policy says so, or, of a secret that is still good, unless the policy of every service that the token is for
says otherwise.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chalicelib.core.access.token_policy import SILENT, Consequence, strictest
from chalicelib.core.audit.records import failure
from chalicelib.core.common.errors import StaleWrite, Unavailable
from chalicelib.core.common.optimistic_retry import retry_persistently
from chalicelib.core.tokens.system_records import by_keyturn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.access.account import User
    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.audit.ports import AuditStore
    from chalicelib.core.audit.records import AuditRecord
    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.directory.ports import ServiceStore
    from chalicelib.core.directory.service import Service
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import RetiredSecret
    from chalicelib.core.tokens.effective_policies import EffectivePolicies
    from chalicelib.core.tokens.ports import TokenStore
    from chalicelib.core.tokens.token import PermanentToken

WINDOW_MS = 3_600_000
REMEMBERED = 10_000  # records that a process knows to be there

# The kinds of the audit records of what was refused quietly.
ROLLED_BACK = "permanent-token.refused-taken-back"
ENDED = "permanent-token.refused-ended"
SERVICE_ROLLED_BACK = "service.taken-back-secret-refused"
SERVICE_ENDED = "service.ended-secret-refused"


@dataclass(frozen=True, slots=True)
class Finding:
    """One of the two: the token's attribute that keeps its time, and the reason that a record gives."""

    attribute: str
    reason: str


REUSED = Finding("reused", "a retired secret was reused")
LEAKED = Finding("leaked", "a secret was leaked")


class _RecordedFailures:
    """The records that this process has written for what failed in a quarter of an hour: each is written once, since
    what holds an old secret may present it all day."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def is_new(self, record: AuditRecord) -> bool:
        """Whether it has yet to be written; only the first to ask is told so."""
        with self._lock:
            if record.id in self._ids:
                return False
            self._ids[record.id] = None
            if len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)
            return True


class Compromise:
    """What follows when a secret is compromised."""

    def __init__(
        self, tokens: TokenStore, services: ServiceStore, policies: EffectivePolicies, trail: AuditStore
    ) -> None:
        self._tokens = tokens
        self._services = services
        self._policies = policies
        self._trail = trail
        self._recorded = _RecordedFailures()

    def presented(
        self,
        token: PermanentToken,
        retired: RetiredSecret[HashedSecret],
        owner: User,
        usage: UsageContext,
        repeated: bool = False,
    ) -> None:
        """A secret that has ended was presented. `repeated`: with a later one of the token, so that it is a request to
        rotate to that one, sent again; only who has both can do that, and has the one that is good."""
        if retired.rolled_back:
            self._record(ROLLED_BACK, token, usage)
        elif repeated or not token.is_settled_after(retired):
            self._record(ENDED, token, usage)
        else:
            self._reused(token, owner, usage)

    def presented_for_service(
        self, service: Service, retired: RetiredSecret[HashedSecret], now: int, address: str | None
    ) -> None:
        """A service was asked for by a secret that has ended. Counted, at most once for each process and quarter of an
        hour; nothing else follows, since without its secret a service could check nobody's token."""
        kind = SERVICE_ROLLED_BACK if retired.rolled_back else SERVICE_ENDED
        record = failure(kind, now, address or "unknown", ("service", service.id), credential_id=service.id)
        if self._recorded.is_new(record):
            with contextlib.suppress(Unavailable):
                self._trail.count(record)

    def _record(self, kind: str, token: PermanentToken, usage: UsageContext) -> None:
        """One record in a quarter of an hour, and one write of each process for it."""
        target = ("permanent-token", token.id)
        details = {"name": token.name, **_details_of(usage)}
        address = usage.address or "unknown"
        record = failure(kind, usage.now, address, target, token.user_id, credential_id=token.id, details=details)
        if self._recorded.is_new(record):
            with contextlib.suppress(StaleWrite, Unavailable):  # it is there already; or the next quarter has one
                self._trail.append(record)

    def _reused(self, token: PermanentToken, owner: User, usage: UsageContext) -> None:
        """What others change at the same time, or a database that does not answer, only puts it off until it happens
        again."""
        with contextlib.suppress(StaleWrite, Unavailable):
            policies = self._judging(token, owner)
            self._follow(REUSED, token, usage, _details_of(usage), strictest([each.reused for each in policies]))

    def leaked(
        self, token: PermanentToken, owner: User, usage: UsageContext, details: Mapping[str, str], valid: bool
    ) -> None:
        """One of its secrets was found, which is still `valid` or not. Raises Unavailable."""

        def attempt() -> None:
            current = self._tokens.get(token.user_id, token.id)
            if current is None:  # somebody was faster
                return
            policies = self._judging(current, owner)
            consequence = strictest([each.leaked for each in policies]) if valid else Consequence.FLAG
            self._follow(LEAKED, current, usage, details, consequence)

        retry_persistently(attempt)

    def _judging(self, token: PermanentToken, owner: User) -> list[Policy]:
        """The policies that decide: of each service of its scope, SILENT for one without a policy or that is
        gone; and of its owner's groups, which only add to that. So only all services together make it less."""
        (bodies,) = self._policies.by_body([(token, owner)], self._services.get_many(token.scope))
        policies = {**dict.fromkeys(token.scope), **bodies}
        return [policy or SILENT for id, policy in policies.items() if policy or id in token.scope]

    def _follow(
        self,
        finding: Finding,
        token: PermanentToken,
        usage: UsageContext,
        details: Mapping[str, str],
        consequence: Consequence,
    ) -> None:
        marked = self._marked(finding, token, usage, details)
        if consequence is Consequence.REVOKE:
            record = by_keyturn(
                "permanent-token.deleted", marked, usage, {"name": token.name, "reason": finding.reason}
            )
            self._tokens.delete(marked, record)

    def _marked(
        self, finding: Finding, token: PermanentToken, usage: UsageContext, details: Mapping[str, str]
    ) -> PermanentToken:
        before = getattr(token, finding.attribute)
        if before is not None and usage.now - before < WINDOW_MS:
            return token
        found_at: dict[str, Any] = {finding.attribute: usage.now}
        marked = replace(token, **found_at, revision=token.revision + 1)
        record = by_keyturn(f"permanent-token.{finding.attribute}", marked, usage, {"name": token.name, **details})
        self._tokens.update_system_fields(token, marked, record)
        return marked


def _details_of(usage: UsageContext) -> dict[str, str]:
    """The details of the usage for a record."""
    known = {"agent": usage.agent, "service": usage.service_id}
    return {name: text for name, text in known.items() if text}
