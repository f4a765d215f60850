"""Secrets that were found where everybody can read them.

Anybody may report. Whoever reports a secret has it, and could use it; so it is ended at once. Whether a guess was
right is told to nobody but GitHub, which signs what it says.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chalicelib.core.audit.records import AuditRecord, failure
from chalicelib.core.common import rate_limits
from chalicelib.core.common.errors import Invalid, StaleWrite
from chalicelib.core.common.identifiers import KEYTURN
from chalicelib.core.secrets.token_format import SERVICE_SECRET, CredentialKind, recognise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chalicelib.core.access.account import User
    from chalicelib.core.audit.ports import AuditStore
    from chalicelib.core.common.origin import Origin
    from chalicelib.core.login.attempt_limits import AttemptLimiter
    from chalicelib.core.login.ports import AccountCredentialStore
    from chalicelib.core.secrets.hashing import HashedSecret
    from chalicelib.core.secrets.previous_secrets import Secrets
    from chalicelib.core.secrets.verifier import SecretVerifier
    from chalicelib.core.tokens.compromise import Compromise
    from chalicelib.core.tokens.token import PermanentToken
    from chalicelib.core.verification.ports import Credential, CredentialStore

MAX_FOUND = 100  # in one report
MAX_PLACE = 500


@dataclass(frozen=True, slots=True)
class Found:
    """A string that looks like a secret, and where it was found."""

    text: str = field(repr=False)
    place: str | None = None


class Leaks:
    """Recognises what is ours, and ends it."""

    def __init__(
        self,
        credentials: CredentialStore,
        held: AccountCredentialStore,
        trail: AuditStore,
        compromise: Compromise,
        attempt_limiter: AttemptLimiter,
        verifier: SecretVerifier,
    ) -> None:
        self._credentials = credentials
        self._held = held
        self._compromise = compromise
        self._attempt_limiter = attempt_limiter
        self._verifier = verifier
        self._trail = trail

    def report(self, found: Sequence[Found], origin: Origin) -> None:
        """End what is ours among it. Raises Invalid, Throttled or Unavailable; what was done by then stays done."""
        self._attempt_limiter.spend(rate_limits.leak_reports(rate_limits.network(origin.address)), origin.now)
        self.ended(found, origin)

    def ended(self, found: Sequence[Found], origin: Origin) -> list[bool]:
        """The same, for somebody who may know which of them were ours."""
        if not 1 <= len(found) <= MAX_FOUND:
            raise Invalid("found", f"must have 1 to {MAX_FOUND} strings.")
        ours: dict[str, bool] = {}  # by what was found: what comes twice is looked at once
        for each in found:
            if each.text not in ours:
                ours[each.text] = self._end(each, origin)
        return [ours[each.text] for each in found]

    def _end(self, found: Found, origin: Origin) -> bool:
        details = {"place": _printable(found.place)} if found.place else {}
        ids = SERVICE_SECRET.parse(found.text)
        if ids:
            return self._note_service(found.text, ids[0], details, origin)
        key = recognise(found.text, *CredentialKind)
        if key is None:
            return False
        stored = self._credentials.find(key, None)
        credential, owner = stored.credential, stored.owner
        if credential is None or owner is None:
            return False
        if credential.rotating:
            return self._end_token(found.text, credential.rotating, owner, details, origin)
        if credential.has_ended(origin.now, owner, stored.authenticators):
            return False
        if not self._verifier.verify(found.text, credential.secret, origin.now):
            return False
        return self._end_other(credential, details, origin)

    def _end_token(
        self, text: str, token: PermanentToken, owner: User, details: dict[str, str], origin: Origin
    ) -> bool:
        valid_secrets = [token.secret, *(each.stored for each in token.valid_previous(origin.now))]
        ended = [each.stored for each in token.secrets.retired(origin.now)]
        valid = any(self._verifier.verify(text, each, origin.now) for each in valid_secrets)
        if not valid and not any(self._verifier.verify(text, each, origin.now) for each in ended):
            return False
        self._compromise.leaked(token, owner, origin.usage(), details, valid)
        return True

    def _end_other(self, credential: Credential, details: dict[str, str], origin: Origin) -> bool:
        """Nothing is lost with one of these that its owner cannot make again at once."""
        kind = credential.kind.value.audit_name
        record = _record(f"{kind}.leaked", kind, credential.id, details, origin, credential.user_id)
        with contextlib.suppress(StaleWrite):  # somebody was faster
            self._held.delete(credential, record)
        return True

    def _which(self, text: str, secrets: Secrets[HashedSecret], now: int) -> str | None:
        """Which of a service's secrets it is, in words."""
        kinds = {
            "the current secret": [secrets.current],
            "a previous secret": [each.stored for each in secrets.valid_previous(now)],
            "a retired secret": [each.stored for each in secrets.retired(now)],
        }
        found = (kind for kind, each in kinds.items() if any(self._verifier.verify(text, one, now) for one in each))
        return next(found, None)

    def _note_service(self, text: str, service_id: str, details: dict[str, str], origin: Origin) -> bool:
        """It is recorded only, and counted: without its secret a service could check nobody's token, which is worse."""
        service = self._credentials.find(None, service_id).service
        which = self._which(text, service.secrets, origin.now) if service and service.secrets else None
        if service is None or which is None:
            return False
        details = {**details, "secret": which}
        target = ("service", service.id)
        self._trail.count(
            failure("service.secret-leaked", origin.now, origin.address, target, None, KEYTURN, service.id, details)
        )
        return True


def _record(
    kind: str, target_kind: str, target_id: str, details: dict[str, str], origin: Origin, owner_id: str | None = None
) -> AuditRecord:
    return AuditRecord(
        kind=kind,
        at=origin.now,
        actor_id=KEYTURN,
        credential_id=target_id,
        address=origin.address,
        target_kind=target_kind,
        target_id=target_id,
        owner_id=owner_id,
        details=details,
    )


def _printable(text: str) -> str:
    return "".join(character for character in text[:MAX_PLACE] if character.isprintable())
