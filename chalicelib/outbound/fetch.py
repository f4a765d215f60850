"""Fetches a JSON document from an address that somebody else chose."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from chalicelib.core.oauth.ports import IssuerUnreachable
from chalicelib.outbound.guarded_client import GuardedClient, Unreachable

SECONDS = 3.0  # for the whole of one document
MAX_BYTES = 256 * 1024


class Fetcher:
    """`internal`: the host names of issuers that an operator expects inside the network."""

    def __init__(self, internal: frozenset[str] = frozenset()) -> None:
        self._client = GuardedClient(internal, SECONDS, MAX_BYTES)

    def json(self, url: str) -> dict[str, Any]:
        """The JSON object at this https address. Raises IssuerUnreachable."""
        try:
            status, body = self._client.request("GET", url, {"Accept": "application/json"})
        except Unreachable as error:
            raise IssuerUnreachable(str(error)) from None
        host = urlsplit(url).hostname
        if status != 200:
            raise IssuerUnreachable(f"{host} answered with {status}")
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise IssuerUnreachable(f"{host} did not answer with JSON") from None
        if not isinstance(document, dict):
            raise IssuerUnreachable(f"{url[:200]} contains no JSON object")
        return document
