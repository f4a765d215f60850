"""The public keys of outside issuers, remembered for a while."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from chalicelib.core.oauth.ports import IssuerUnreachable
from chalicelib.outbound.fetch import Fetcher

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_KEYS = 100
REMEMBERED_SECONDS = 600.0
PAUSE_SECONDS = 30.0  # between two fetches for keys that an issuer does not have, and after a failure
MAX_ISSUERS = 100


@dataclass(frozen=True, slots=True)
class _Known:
    at: float
    keys: tuple[dict[str, Any], ...] = ()
    failure: str | None = None


class FetchedIssuerKeys:
    """Implements `core.oauth.ports.IssuerKeys`, by OpenID Connect Discovery section 4."""

    def __init__(self, internal_issuers: frozenset[str], clock: Callable[[], float] = time.monotonic) -> None:
        hosts = frozenset(host for issuer in internal_issuers if (host := urlsplit(issuer).hostname))
        self._fetcher = Fetcher(hosts)
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, issuer: str, key_id: str | None) -> list[dict[str, Any]]:
        with self._lock:
            known = self._known.get(issuer)
            if known is None or self._is_stale(known, key_id):
                known = self._fetch(issuer)
                self._known[issuer] = known
                if len(self._known) > MAX_ISSUERS:
                    self._known.popitem(last=False)
        if known.failure:
            raise IssuerUnreachable(known.failure)
        return list(known.keys)

    def _is_stale(self, known: _Known, key_id: str | None) -> bool:
        age = self._clock() - known.at
        missing = known.failure is not None or (key_id is not None and all(k.get("kid") != key_id for k in known.keys))
        return age >= (PAUSE_SECONDS if missing else REMEMBERED_SECONDS)

    def _fetch(self, issuer: str) -> _Known:
        try:
            about = self._fetcher.json(issuer.rstrip("/") + "/.well-known/openid-configuration")
            if about.get("issuer") != issuer:
                raise IssuerUnreachable("the issuer's configuration is that of another issuer")
            keys = self._fetcher.json(str(about.get("jwks_uri"))).get("keys")
            if not isinstance(keys, list) or len(keys) > MAX_KEYS:
                raise IssuerUnreachable(f"the issuer publishes no list of at most {MAX_KEYS} keys")
        except IssuerUnreachable as error:
            return _Known(self._clock(), failure=str(error))
        return _Known(self._clock(), tuple(key for key in keys if isinstance(key, dict)))
