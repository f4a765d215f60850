"""Whether a presented secret is good at this moment.

The record was read just now, strongly consistent: what was revoked, narrowed or banned a moment ago
is refused, whatever this process remembers.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.audit.records import failure
from chalicelib.core.common.errors import StaleWrite, Unavailable
from chalicelib.core.login.application_password import ApplicationPassword
from chalicelib.core.secrets.token_format import SERVICE_SECRET, CredentialKind
from chalicelib.core.tokens.token import PermanentToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalicelib.core.access.account import User
    from chalicelib.core.access.token_policy import Policy
    from chalicelib.core.audit.ports import AuditStore
    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.directory.service import Service
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import PreviousSecret, RetiredSecret, Secrets
    from chalicelib.core.secrets.verifier import SecretVerifier
    from chalicelib.core.tokens.compromise import Compromise
    from chalicelib.core.tokens.effective_policies import EffectivePolicies
    from chalicelib.core.verification.last_use import LastUses
    from chalicelib.core.verification.ports import Credential, CredentialStore

ELSEWHERE = "permanent-token.refused-elsewhere"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was presented is good now. `ends`: when it stops being so (None: not by itself); `since`: when the secret of
    a permanent token or a service was made, both in milliseconds since the epoch; `previous`: that there is a newer
    one."""

    ends: int | None = None
    previous: PreviousSecret[HashedSecret] | None = None
    since: int = 0


class CredentialCheck:
    """Checks what is presented against what was read; renews seals that have become outdated."""

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
    ) -> Verification | None:
        """Whether this credential exists, its owner may act, the secret is right, and nothing forbids this use at this
        service, if it is at one.

        `recorded`: it is a use, and not only a question. Raises Throttled.
        """
        if credential is None or owner is None or owner.banned:
            return None
        usage = usage.at(service.id) if service else usage
        found: Verification | None
        if isinstance(credential, PermanentToken):
            found = self._verify_token(presented, credential, owner, service, usage)
        else:
            ended = isinstance(credential, ApplicationPassword) and not credential.is_alive(owner)
            matches = not ended and self._matches(presented, credential, credential.secret, usage.now)
            found = Verification() if matches else None
        if found and recorded and not _is_asked_for(presented, credential, usage):
            self.record_use(credential, [service.id] if service else [], usage, found.since)
        return found

    def record_use(self, credential: Credential, service_ids: Iterable[str], usage: UsageContext, since: int) -> None:
        """Remember when it was used last, and where; and that the secret which was made at `since` is in use."""
        self._last_uses.record_use(credential, service_ids, usage)
        if isinstance(credential, PermanentToken):
            self._last_uses.settle(credential, since, usage.now)

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

    def _verify_token(
        self, presented: str, token: PermanentToken, owner: User, service: Service | None, usage: UsageContext
    ) -> Verification | None:
        previous = None
        if not self._matches(presented, token, token.secret, usage.now):
            previous = self._previous(presented, token.secrets, usage.now)
            if previous is None:
                self._notice_retired(presented, token, owner, usage)
                return None
        if token.networks and not _is_inside(token, usage):
            self._notice_elsewhere(token, usage)
            return None
        policies = self._policies.at_use(owner, service, usage.now)
        if policies:
            from chalicelib.core.tokens.expiry_projection import project_expiry

            disabled = project_expiry(token, policies).disabled
            if disabled is not None and usage.now >= disabled:
                return None
        end = _end(token, previous, policies)
        since = previous.since if previous else token.secret_created_at
        return Verification(end, previous, since) if end is None or usage.now < end else None

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

    def _notice_retired(self, presented: str, token: PermanentToken, owner: User, usage: UsageContext) -> None:
        """A secret that once was the token's may be in other hands: a wrong one never was anybody's."""
        for retired in token.secrets.retired(usage.now):
            if self._verifier.verify(presented, retired.stored, usage.now):
                self._compromise().presented(token, retired, owner, usage, self._repeats(usage, token, retired))
                return

    def _repeats(self, usage: UsageContext, token: PermanentToken, retired: RetiredSecret[HashedSecret]) -> bool:
        """Whether what the request supplies is the token's already, and was made later than what it presents."""
        if usage.supplied_secret is None:
            return False
        shown = CredentialKind.PERMANENT_TOKEN.assemble(usage.supplied_secret, token.user_id, token.id)
        later = [token.secret, *(each.stored for each in token.secrets.past if each.since > retired.since)]
        return any(self._verifier.verify(shown, hashed, usage.now) for hashed in later)

    def _notice_elsewhere(self, token: PermanentToken, usage: UsageContext) -> None:
        """A secret that is right comes from where it should not be: counted in its owner's audit log."""
        if usage.address:  # or else a service did not say from where it came
            target = ("permanent-token", token.id)
            record = failure(ELSEWHERE, usage.now, usage.address, target, token.user_id, credential_id=token.id)
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
    if usage.supplied_secret is None or not isinstance(credential, PermanentToken):
        return False
    return presented == CredentialKind.PERMANENT_TOKEN.assemble(
        usage.supplied_secret, credential.user_id, credential.id
    )


def _is_inside(token: PermanentToken, usage: UsageContext) -> bool:
    from chalicelib.core.common.networks import contain  # only where a token has some

    return contain(token.networks, usage.address)
