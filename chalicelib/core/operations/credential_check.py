"""Whether a presented secret is good at this moment.

The record was read just now, strongly consistent: what was revoked, narrowed or banned a moment ago
is refused, whatever this process remembers.
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING

from chalicelib.core.errors import StaleWrite, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.core.accounts import User
    from chalicelib.core.credentials.sealing import SealedSecret
    from chalicelib.core.credentials.verifier import SecretVerifier
    from chalicelib.core.permanent_tokens import PermanentToken
    from chalicelib.core.ports import CredentialStore
    from chalicelib.core.services import Service


class CredentialCheck:
    """Checks what is presented against what was read; renews seals that have become outdated."""

    def __init__(self, credentials: CredentialStore, verifier: SecretVerifier) -> None:
        self._credentials = credentials
        self._verifier = verifier

    def is_good_token(self, presented: str, token: PermanentToken | None, owner: User | None, now: int) -> bool:
        """Whether this token exists, its owner may act, and the secret is right. Raises Throttled."""
        if token is None or owner is None or owner.banned:
            return False
        return self._matches(presented, token.secret, now, partial(self._credentials.reseal_token, token))

    def is_service(self, presented: str, service: Service, now: int) -> bool:
        """Whether this is the service's secret. Raises Throttled."""
        if service.secret is None:
            return False
        return self._matches(presented, service.secret, now, partial(self._credentials.reseal_service, service))

    def prepare(self, token: tuple[str, PermanentToken], service: tuple[str, Service], now: int) -> None:
        """Do the costly part of checking both at the same time; it decides nothing."""
        if service[1].secret:
            self._verifier.verify_together([(token[0], token[1].secret), (service[0], service[1].secret)], now)

    def _matches(self, presented: str, sealed: SealedSecret, now: int, reseal: Callable[[SealedSecret], None]) -> bool:
        if not self._verifier.verify(presented, sealed, now):
            return False
        if self._verifier.is_outdated(sealed):
            # A good secret is not refused because its seal could not be renewed: its next use will.
            with contextlib.suppress(StaleWrite, Unavailable):
                reseal(self._verifier.seal(presented))
        return True
