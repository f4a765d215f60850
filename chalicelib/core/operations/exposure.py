"""A secret shows up where it should not: a superseded one is presented after its end, or one is found in public.

Either is recorded, and raised as an event, at most once an hour and token; and the token is revoked where a policy
says so, or, of a secret that is still good, unless the policy of every service that the token is for says otherwise.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from chalicelib.core.audit import by_keyturn
from chalicelib.core.errors import StaleWrite, Unavailable
from chalicelib.core.operations.optimistic import insistently
from chalicelib.core.policies import SILENT, Consequence, strictest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chalicelib.core.accounts import User
    from chalicelib.core.operations.policies_in_force import PoliciesInForce
    from chalicelib.core.permanent_tokens import PermanentToken
    from chalicelib.core.policies import Policy
    from chalicelib.core.ports import ServiceStore, TokenStore
    from chalicelib.core.uses import Use

WINDOW_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class _What:
    """One of the two: the token's attribute that keeps its time, and the reason that a record gives."""

    attribute: str
    reason: str


REUSED = _What("reused", "a superseded secret was used")
LEAKED = _What("leaked", "a secret was found in public")


class Exposure:
    """What follows when it happens."""

    def __init__(self, tokens: TokenStore, services: ServiceStore, policies: PoliciesInForce) -> None:
        self._tokens = tokens
        self._services = services
        self._policies = policies

    def reused(self, token: PermanentToken, owner: User, use: Use) -> None:
        """A superseded secret was presented. What others change at the same time, or a database that does not
        answer, only puts it off until it happens again."""
        with contextlib.suppress(StaleWrite, Unavailable):
            policies = self._judging(token, owner)
            known = {"agent": use.agent, "service": use.service.id if use.service else None}
            details = {name: text for name, text in known.items() if text}
            self._follow(REUSED, token, use, details, strictest([each.reused for each in policies]))

    def leaked(self, token: PermanentToken, owner: User, use: Use, details: Mapping[str, str], good: bool) -> None:
        """One of its secrets was found, which is still `good` or not. Raises Unavailable."""

        def attempt() -> None:
            current = self._tokens.get(token.user_id, token.id)
            if current is None:  # somebody was faster
                return
            policies = self._judging(current, owner)
            consequence = strictest([each.leaked for each in policies]) if good else Consequence.FLAG
            self._follow(LEAKED, current, use, details, consequence)

        insistently(attempt)

    def _judging(self, token: PermanentToken, owner: User) -> list[Policy]:
        """What is said of the token: by each service of its scope, where one without a policy, or that is gone, says
        SILENT; and by its owner's groups, which only add to that. So only all services together make it less."""
        (bodies,) = self._policies.by_body([(token, owner)], self._services.get_many(token.scope))
        said = {**dict.fromkeys(token.scope), **bodies}
        return [policy or SILENT for id, policy in said.items() if policy or id in token.scope]

    def _follow(
        self, what: _What, token: PermanentToken, use: Use, details: Mapping[str, str], consequence: Consequence
    ) -> None:
        noticed = self._noticed(what, token, use, details)
        if consequence is Consequence.REVOKE:
            record = by_keyturn("permanent-token.deleted", noticed, use, {"name": token.name, "reason": what.reason})
            self._tokens.delete(noticed, record)

    def _noticed(self, what: _What, token: PermanentToken, use: Use, details: Mapping[str, str]) -> PermanentToken:
        before = getattr(token, what.attribute)
        if before is not None and use.now - before < WINDOW_MS:
            return token
        noted: dict[str, Any] = {what.attribute: use.now}
        noticed = replace(token, **noted, revision=token.revision + 1)
        record = by_keyturn(f"permanent-token.{what.attribute}", noticed, use, {"name": token.name, **details})
        self._tokens.note(token, noticed, record)
        return noticed
