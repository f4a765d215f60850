"""Whether a presented secret is good at this moment.

The record was read just now, strongly consistent: what was revoked, narrowed or banned a moment ago
is refused, whatever this process remembers.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from chalicelib.core.errors import StaleWrite, Unavailable
from chalicelib.core.permanent_tokens import EarlierSecret, PermanentToken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.accounts import User
    from chalicelib.core.credentials.sealing import SealedSecret
    from chalicelib.core.credentials.verifier import SecretVerifier
    from chalicelib.core.ports import Credential, CredentialStore
    from chalicelib.core.services import Service

LAST_USED_WINDOW_MS = 5 * 60_000  # so often at most is a use noted: no write for each request


class CredentialCheck:
    """Checks what is presented against what was read; renews seals that have become outdated."""

    def __init__(self, credentials: CredentialStore, verifier: SecretVerifier) -> None:
        self._credentials = credentials
        self._verifier = verifier

    def is_good(
        self, presented: str, credential: Credential | None, owner: User | None, now: int, service_id: str | None = None
    ) -> bool:
        """Whether this credential exists, its owner may act, and the secret is right. Raises Throttled.

        `service_id`: where it is used.
        """
        if credential is None or owner is None or owner.banned:
            return False
        if isinstance(credential, PermanentToken) and credential.has_expired(now):
            return False
        is_current = self._matches(presented, credential, credential.secret, now)
        if not is_current and self.superseded(presented, credential, now) is None:
            return False
        self.note_use(credential, [service_id] if service_id else [], now)
        return True

    def ends(self, presented: str, credential: Credential, now: int) -> int | None:
        """When what is presented, and is good, stops being so, in milliseconds since the epoch; None: not by itself."""
        earlier = self.superseded(presented, credential, now)
        ends = [earlier.until] if earlier else []
        if isinstance(credential, PermanentToken) and credential.expires is not None:
            ends.append(credential.expires)
        return min(ends, default=None)

    def superseded(self, presented: str, credential: Credential, now: int) -> EarlierSecret | None:
        """The secret that is presented, if it is not the current one any more, but still good."""
        if not isinstance(credential, PermanentToken):
            return None
        return next((each for each in credential.live(now) if self._verifier.verify(presented, each.sealed, now)), None)

    def note_use(self, credential: Credential, service_ids: Iterable[str], now: int) -> None:
        """Remember when it was used, and once for each service that it was used there."""
        new = []
        if isinstance(credential, PermanentToken):
            new = [id for id in service_ids if id not in credential.used_at]
        if new or credential.last_used is None or now - credential.last_used >= LAST_USED_WINDOW_MS:
            with contextlib.suppress(StaleWrite, Unavailable):  # it is good, whether this is noted or not
                self._credentials.mark_used(credential, now, new)

    def is_service(self, presented: str, service: Service, now: int) -> bool:
        """Whether this is the service's secret. Raises Throttled."""
        if service.secret is None:
            return False
        return self._matches(presented, service, service.secret, now)

    def prepare(self, held: tuple[str, Credential], service: tuple[str, Service], now: int) -> None:
        """Do the costly part of checking both at the same time; it decides nothing."""
        if service[1].secret:
            self._verifier.verify_together([(held[0], held[1].secret), (service[0], service[1].secret)], now)

    def _matches(self, presented: str, holder: Credential | Service, sealed: SealedSecret, now: int) -> bool:
        if not self._verifier.verify(presented, sealed, now):
            return False
        if self._verifier.is_outdated(sealed):
            # A good secret is not refused because its seal could not be renewed: its next use will.
            with contextlib.suppress(StaleWrite, Unavailable):
                self._credentials.reseal(holder, self._verifier.seal(presented))
        return True
