"""When a credential was used last, and where: recorded without a write for each request."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from chalicelib.core.common.errors import StaleWrite, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.common.origin import UsageContext
    from chalicelib.core.tokens.token import PermanentToken
    from chalicelib.core.verification.ports import Credential, CredentialStore

LAST_USED_WINDOW_MS = 5 * 60_000  # in which a use is recorded once, unless the settings say otherwise
REMEMBERED = 10_000  # credentials of which a process knows what it has recorded


class LastUses:
    """At most one write for each credential, window and process, and one for each rotation. One instance for the life
    of a process.

    What was recorded, by whomever, is seen in the record that every check reads; so several processes together seldom
    write more often than one. A service where a token was not used before is remembered until the next write.
    """

    def __init__(self, credentials: CredentialStore, window_ms: int) -> None:
        self._credentials = credentials
        self._window_ms = window_ms
        self._recorded: OrderedDict[str, int] = OrderedDict()
        self._services: dict[str, set[str]] = {}  # not recorded yet, by credential
        self._lock = threading.Lock()

    def record_use(self, credential: Credential, service_ids: Iterable[str], usage: UsageContext) -> None:
        """It was used; at these services, if any."""
        services = self._due(credential, frozenset(service_ids), usage.now)
        if services is None:
            return
        with contextlib.suppress(StaleWrite, Unavailable):  # it is valid, whether this is recorded or not
            self._credentials.mark_used(credential, usage, sorted(services))

    def settle(self, token: PermanentToken, since: int, now: int) -> None:
        """The secret that was made at `since` was used: no earlier one renews the token from now on. One write for
        each rotation; one that does not succeed is tried again in the next window, or when the token has changed."""
        if since <= token.newest_used:
            return  # as nearly always
        key = f"{token.id}#{token.revision}#{since}"
        with self._lock:
            if now - self._recorded.get(key, 0) < self._window_ms:
                return
            self._remember(key, now)
        with contextlib.suppress(StaleWrite, Unavailable):  # it is valid, whether this is recorded or not
            self._credentials.settle(token, since)

    def _due(self, credential: Credential, service_ids: frozenset[str], now: int) -> set[str] | None:
        """The services to record, if it is time to write; None if it is not."""
        new = credential.not_used_at(service_ids)
        if credential.last_used is not None and now - credential.last_used < self._window_ms and not new:
            return None  # as nearly always: without a lock
        with self._lock:
            waiting = self._services.pop(credential.id, set()) | new
            last = max(credential.last_used or 0, self._recorded.get(credential.id, 0))
            if now - last < self._window_ms:
                if waiting:
                    self._services[credential.id] = waiting
                return None
            self._remember(credential.id, now)
            return waiting

    def _remember(self, key: str, now: int) -> None:
        self._recorded[key] = now
        self._recorded.move_to_end(key)
        if len(self._recorded) > REMEMBERED:
            forgotten, _ = self._recorded.popitem(last=False)
            self._services.pop(forgotten, None)
