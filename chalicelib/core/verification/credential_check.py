"""Whether a presented secret is good at this moment.

The record was read just now, strongly consistent: what was revoked, narrowed or banned a moment ago
is refused, whatever this process remembers.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.audit.records import failure
from chalicelib.core.common.errors import LoginEnded, StaleWrite, Unavailable
from chalicelib.core.secrets.token_format import SERVICE_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalicelib.core.access.account import User
    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.audit.ports import AuditStore
    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.directory.service import Service
    from chalicelib.core.login.authenticators import Authenticators
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import PreviousSecret, RetiredSecret, Secrets
    from chalicelib.core.secrets.verifier import SecretVerifier
    from chalicelib.core.tokens.compromise import Compromise
    from chalicelib.core.tokens.effective_policies import EffectivePolicies
    from chalicelib.core.tokens.token import PermanentToken
    from chalicelib.core.verification.last_use import LastUses
    from chalicelib.core.verification.ports import Credential, CredentialStore


@dataclass(frozen=True, slots=True)
class Verification:
    """What was presented is valid now. `ends`: when it stops being so, and what it makes with it (None: not by itself,
    or a login made it, and makes what lasts); `since`: when the secret was made, both in milliseconds since the epoch;
    `previous`: the secret, if there is a newer one."""

    ends: int | None = None
    previous: PreviousSecret[HashedSecret] | None = None
    since: int = 0


class CredentialCheck:
    """Checks what is presented against what was read; renews hashes that have become outdated."""

    def __init__(
        self,
        credentials: CredentialStore,
        verifier: SecretVerifier,
        last_uses: LastUses,
        policies: EffectivePolicies,
        compromise: Callable[[], Compromise],
        trail: AuditStore,
    ) -> None:
        self._credentials = credentials
        self._verifier = verifier
        self._last_uses = last_uses
        self._policies = policies
        self._compromise = compromise  # made when the first secret comes that has ended
        self._trail = trail

    def verify(
        self,
        presented: str,
        credential: Credential | None,
        owner: User | None,
        service: Service | None,
        usage: UsageContext,
        recorded: bool = True,
        authenticators: Authenticators | None = None,
    ) -> Verification | None:
        """Whether this credential exists, its owner may act, the secret is right, and nothing forbids this use at this
        service, if it is at one.

        `recorded`: it is a use, and not only a question. `authenticators`: the owner's, without which no login is good.
        Raises Throttled, or LoginEnded.
        """
        if credential is None or owner is None or owner.banned:
            return None
        usage = usage.at(service.id) if service else usage
        found = self._found(presented, credential, owner, service, usage, authenticators)
        if found and recorded and not _is_asked_for(presented, credential, usage):
            self.record_use(credential, [service.id] if service else [], usage, found.since)
        return found

    def record_use(self, credential: Credential, service_ids: Iterable[str], usage: UsageContext, since: int) -> None:
        """Remember when it was used last, and where; and that the secret which was made at `since` is in use."""
        self._last_uses.record_use(credential, service_ids, usage)
        if credential.rotating:
            self._last_uses.settle(credential.rotating, since, usage.now)

    def ends(self, token: PermanentToken, since: int, owner: User, service: Service | None, now: int) -> int | None:
        """When the secret that was made at `since` stops being good, by its own end, the token's, or a policy's at
        this service; in milliseconds since the epoch."""
        previous = token.previous(since, now)
        policies = self._policies.at_use(owner, service, now)
        return _end(token, previous, policies)

    def verify_service(
        self, presented: str, service: Service, now: int, address: str | None = None
    ) -> Verification | None:
        """Whether a service proves itself by this secret: any of its own that is still good, and that names it. The one
        rule for all that a service asks. `address` is from where it asks. Raises Throttled.
        """
        secrets = service.secrets
        if secrets is None or SERVICE_SECRET.parse(presented) != (service.id,):
            return None
        if self._matches(presented, service, secrets.current, now):
            return Verification(since=secrets.since)
        previous = self._previous(presented, secrets, now)
        if previous is None:
            self._notice_ended(presented, service, secrets, now, address)
            return None
        return Verification(previous.until, previous, previous.since)

    def prepare(self, held: tuple[str, Credential], service: tuple[str, Service], now: int) -> None:
        """Do the costly part of checking both at the same time; it decides nothing."""
        secrets = service[1].secrets
        if secrets:
            hashed = secrets.current
            if secrets.previous_secrets:
                valid_secrets = (each.stored for each in secrets.valid_previous(now))
                hashed = next((each for each in valid_secrets if self._verifier.tag_matches(service[0], each)), hashed)
            self._verifier.verify_together([(held[0], held[1].secret), (service[0], hashed)], now)

    def _found(
        self,
        presented: str,
        credential: Credential,
        owner: User,
        service: Service | None,
        usage: UsageContext,
        authenticators: Authenticators | None,
    ) -> Verification | None:
        """The one way that all kinds take: the secret, from where it comes, the end, policies."""
        secrets, previous = credential.secrets, None
        if not self._matches(presented, credential, secrets.current, usage.now):
            previous = self._previous(presented, secrets, usage.now)
            if previous is None:
                self._notice_retired(presented, credential, owner, usage)
                return None
        if credential.networks and not _is_inside(credential, usage):
            self._notice_elsewhere(credential, usage)
            return None
        if credential.has_ended(usage.now, owner, authenticators):
            if credential.kind.value.is_login:
                raise LoginEnded
            return None
        since = previous.since if previous else secrets.since
        if credential.rotating is None:
            return Verification(None if credential.kind.value.is_login else credential.expires, since=since)
        end = self._end_of_use(credential.rotating, previous, owner, service, usage.now)
        return Verification(end, previous, since) if end is None or usage.now < end else None

    def _end_of_use(
        self,
        token: PermanentToken,
        previous: PreviousSecret[HashedSecret] | None,
        owner: User,
        service: Service | None,
        now: int,
    ) -> int | None:
        """When the secret ends at this service, by a policy too."""
        policies = self._policies.at_use(owner, service, now)
        if policies:
            from chalicelib.core.tokens.expiry_projection import project_expiry

            disabled = project_expiry(token, policies).disabled
            if disabled is not None and now >= disabled:
                return disabled
        return _end(token, previous, policies)

    def _previous(
        self, presented: str, secrets: Secrets[HashedSecret], now: int
    ) -> PreviousSecret[HashedSecret] | None:
        """The secret that is presented, if it is not the current one any more, but still good."""
        return next(
            (each for each in secrets.valid_previous(now) if self._verifier.verify(presented, each.stored, now)), None
        )

    def _notice_ended(
        self, presented: str, service: Service, secrets: Secrets[HashedSecret], now: int, address: str | None
    ) -> None:
        """A service is asked for by a secret that has ended: what uses it has yet to get a newer one, or it is in other
        hands."""
        for retired in secrets.retired(now):
            if self._verifier.verify(presented, retired.stored, now):
                self._compromise().presented_for_service(service, retired, now, address)
                return

    def _notice_retired(self, presented: str, credential: Credential, owner: User, usage: UsageContext) -> None:
        """A secret that once was the token's may be in other hands: a wrong one never was anybody's."""
        token = credential.rotating
        if token is None:
            return
        for retired in token.secrets.retired(usage.now):
            if self._verifier.verify(presented, retired.stored, usage.now):
                self._compromise().presented(token, retired, owner, usage, self._repeats(usage, token, retired))
                return

    def _repeats(self, usage: UsageContext, token: PermanentToken, retired: RetiredSecret[HashedSecret]) -> bool:
        """Whether what the request supplies is the token's already, and was made later than what it presents."""
        if usage.supplied_secret is None:
            return False
        shown = token.kind.assemble(usage.supplied_secret, token.user_id, token.id)
        later = [token.secret, *(each.stored for each in token.secrets.past if each.since > retired.since)]
        return any(self._verifier.verify(shown, hashed, usage.now) for hashed in later)

    def _notice_elsewhere(self, credential: Credential, usage: UsageContext) -> None:
        """A secret that is right comes from where it should not be: counted in its owner's audit log."""
        if usage.address:  # or else a service did not say from where it came
            kind, id = credential.kind.value.audit_name, credential.id
            where = f"{kind}.refused-elsewhere"
            record = failure(where, usage.now, usage.address, (kind, id), credential.user_id, credential_id=id)
            with contextlib.suppress(Unavailable):
                self._trail.count(record)

    def _matches(self, presented: str, holder: Credential | Service, hashed: HashedSecret, now: int) -> bool:
        if not self._verifier.verify(presented, hashed, now):
            return False
        if self._verifier.is_outdated(hashed):
            # A good secret is not refused because its hash could not be renewed: its next use will.
            with contextlib.suppress(StaleWrite, Unavailable):
                self._credentials.replace_hash(holder, self._verifier.hash_secret(presented))
        return True


def _end(
    token: PermanentToken, previous: PreviousSecret[HashedSecret] | None, policies: Iterable[Policy]
) -> int | None:
    """When the secret ends: `previous`, or else the current one."""
    since = previous.since if previous else token.secret_created_at
    ends = [token.expires, previous.until if previous else None, *(each.ends(since) for each in policies)]
    return min((moment for moment in ends if moment is not None), default=None)


def _is_asked_for(presented: str, credential: Credential, usage: UsageContext) -> bool:
    """Whether a rotation presents the very secret that it supplies. Whoever does so asks whether an answer was lost;
    the secret may not be where it belongs, so it is not in use by that, and an earlier one is not used again."""
    if usage.supplied_secret is None or credential.rotating is None:
        return False
    return presented == credential.kind.assemble(usage.supplied_secret, credential.user_id, credential.id)


def _is_inside(credential: Credential, usage: UsageContext) -> bool:
    from chalicelib.core.common.networks import contain  # only where a credential has some

    return contain(credential.networks, usage.address)
