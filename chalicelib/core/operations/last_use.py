"""When a credential was used last, and where: noted without a write for each request."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from chalicelib.core.errors import StaleWrite, Unavailable
from chalicelib.core.permanent_tokens import PermanentToken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chalicelib.core.ports import Credential, CredentialStore
    from chalicelib.core.uses import Use

REMEMBERED = 10_000  # credentials of which a process knows what it has noted


class LastUses:
    """At most one write for each credential, window and process. One instance for the life of a process.

    What was noted, by whomever, is seen in the record that every check reads; so several processes together seldom
    write more often than one. A service where a token was not used before is remembered until the next write.
    """

    def __init__(self, credentials: CredentialStore, window_ms: int) -> None:
        self._credentials = credentials
        self._window_ms = window_ms
        self._noted: OrderedDict[str, int] = OrderedDict()
        self._services: dict[str, set[str]] = {}  # not noted yet, by credential
        self._lock = threading.Lock()

    def note(self, credential: Credential, service_ids: Iterable[str], use: Use) -> None:
        """It was used; at these services, if any."""
        services = self._due(credential, frozenset(service_ids), use.now)
        if services is None:
            return
        with contextlib.suppress(StaleWrite, Unavailable):  # it is good, whether this is noted or not
            self._credentials.mark_used(credential, use, sorted(services))

    def _due(self, credential: Credential, service_ids: frozenset[str], now: int) -> set[str] | None:
        """The services to note, if it is time to write; None if it is not."""
        known = credential.used_at if isinstance(credential, PermanentToken) else service_ids
        if credential.last_used is not None and now - credential.last_used < self._window_ms and service_ids <= known:
            return None  # as nearly always: without a lock
        with self._lock:
            waiting = self._services.pop(credential.id, set()) | (service_ids - known)
            last = max(credential.last_used or 0, self._noted.get(credential.id, 0))
            if now - last < self._window_ms:
                if waiting:
                    self._services[credential.id] = waiting
                return None
            self._noted[credential.id] = now
            self._noted.move_to_end(credential.id)
            if len(self._noted) > REMEMBERED:
                forgotten, _ = self._noted.popitem(last=False)
                self._services.pop(forgotten, None)
            return waiting
