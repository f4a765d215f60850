"""Whether an access token is good at this moment: signature and form first, then what it depends on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.audit.records import AuditRecord, Hand
from chalicelib.core.common.errors import StaleWrite
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.oauth.access_tokens import AccessToken, SubjectState, in_force

if TYPE_CHECKING:
    from chalicelib.core.access.account import User
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.directory.service import Service
    from chalicelib.core.oauth.jwt import JwtFormat
    from chalicelib.core.oauth.ports import AccessTokenStore
    from chalicelib.core.tokens.token import PermanentToken


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """An access token as far as it is good now, with its subject: an account, or the service that acts for itself.
    `source`: the permanent token that it came from, if it came from one. `lasting`: it is what a trust rule gave out
    that allows what it makes to outlive it, and neither narrowed nor in a service's hands."""

    token: AccessToken
    subject: User | Service
    source: PermanentToken | None = None
    lasting: bool = False


class AccessTokenCheck:
    """One round trip for each token that is well signed; none for any other."""

    def __init__(self, jwt: JwtFormat, store: AccessTokenStore) -> None:
        self._jwt = jwt
        self._store = store

    def read(self, presented: str, now: int) -> AccessToken | None:
        """What it says, if it is ours and has not expired; nothing is looked up."""
        return self._jwt.read_access_token(presented, now)

    def asked_by(self, token: AccessToken, service_id: str, now: int) -> tuple[Service | None, VerifiedToken | None]:
        """The service that asks, and the token if it is good for anything; each may be missing."""
        state = self._store.subject_state(token, service_id)
        return state.services.get(service_id), verified(token, state, now)

    def verify(self, presented: str, now: int) -> VerifiedToken | None:
        """The token, if it is good for anything."""
        token = self.read(presented, now)
        return verified(token, self._store.subject_state(token, None), now) if token else None

    def revoke(self, client_id: str, presented: str, origin: Origin) -> None:
        """This token, and what it was exchanged for, is refused from now on, if it is this client's (RFC 7009); what it
        came from stays. One that was revoked already stays so, without another record.

        Who gives back a token that no client got (`client_id` is Keyturn's) is the account that it is for.
        """
        token = self.read(presented, origin.now)
        if token is None or token.client_id != client_id:
            return
        by_bearer = client_id == KEYTURN
        services = token.actors if by_bearer else dict.fromkeys((client_id, *token.actors))
        record = AuditRecord(
            kind="access-token.revoked",
            at=origin.now,
            actor_id=token.subject_id if by_bearer else client_id,
            credential_id=token.source.id,
            address=origin.address,
            target_kind="access-token",
            target_id=token.id,
            owner_id=token.subject_id,
            hand=Hand(token.source.kind.value, token.id, tuple(services), workload=token.workload),
        )
        with contextlib.suppress(StaleWrite):
            self._store.revoke(token, record)


def verified(token: AccessToken, state: SubjectState, now: int) -> VerifiedToken | None:
    """The token as far as it is still good, given what was found."""
    left = in_force(token, state, now)
    subject = state.subject or state.services.get(token.subject_id)
    if left is None or subject is None:
        return None
    rule = state.trust_rule
    lasting = rule is not None and rule.lasting and not left.exchanged_from and not left.actors
    return VerifiedToken(left, subject, state.permanent_token, lasting)
