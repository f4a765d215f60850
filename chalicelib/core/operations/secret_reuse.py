"""A superseded secret comes back after its end: somebody missed the rotation, or has what is not theirs.

It is refused in any case. It is also recorded, and raised as an event, at most once an hour and token; and where a
policy says so, the token is revoked.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from chalicelib.core.audit import by_keyturn
from chalicelib.core.errors import StaleWrite, Unavailable
from chalicelib.core.policies import Consequence, strictest

if TYPE_CHECKING:
    from chalicelib.core.accounts import User
    from chalicelib.core.operations.policies_in_force import PoliciesInForce
    from chalicelib.core.permanent_tokens import PermanentToken
    from chalicelib.core.ports import ServiceStore, TokenStore
    from chalicelib.core.uses import Use

REUSE_WINDOW_MS = 3_600_000


class SecretReuse:
    """What follows when it happens."""

    def __init__(self, tokens: TokenStore, services: ServiceStore, policies: PoliciesInForce) -> None:
        self._tokens = tokens
        self._services = services
        self._policies = policies

    def notice(self, token: PermanentToken, owner: User, use: Use) -> None:
        """Record it, and do what the policies say. What others change at the same time, or a database that does not
        answer, only puts it off until it happens again."""
        with contextlib.suppress(StaleWrite, Unavailable):
            noticed = self._recorded(token, use)
            policies = self._policies.on(token, owner, self._services.get_many(token.scope))
            if strictest((each.reused for each in policies), Consequence.FLAG) is Consequence.REVOKE:
                details = {"name": token.name, "reason": "a superseded secret was used"}
                self._tokens.delete(noticed, by_keyturn("permanent-token.deleted", noticed, use, details))

    def _recorded(self, token: PermanentToken, use: Use) -> PermanentToken:
        if token.reused is not None and use.now - token.reused < REUSE_WINDOW_MS:
            return token
        noticed = replace(token, reused=use.now, revision=token.revision + 1)
        known = {"name": token.name, "agent": use.agent, "service": use.service.id if use.service else None}
        details = {name: text for name, text in known.items() if text}
        self._tokens.note(token, noticed, by_keyturn("permanent-token.reused", noticed, use, details))
        return noticed
