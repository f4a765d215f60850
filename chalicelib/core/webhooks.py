"""Webhooks: addresses that are told what happens to tokens, in messages that are signed.

Source: the Standard Webhooks specification (standardwebhooks.com): headers `webhook-id`, `webhook-timestamp` and
`webhook-signature`, secrets that begin with `whsec_`, and how long to go on trying.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.core.errors import Invalid
from chalicelib.core.services import MAX_URL, URL_FORM

if TYPE_CHECKING:
    from chalicelib.core.events import EventKind

MAX_WEBHOOKS = 20  # each is told of every event that it wants: many would make every change dear
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
MINUTE_MS = 60_000
# After each failure; then the message is given up. Source: Standard Webhooks, section "Retries".
PAUSES_MS = tuple(round(minutes * MINUTE_MS) for minutes in (5 / 60, 5, 30, 120, 300, 600, 840, 1_200, 1_440))


@dataclass(frozen=True, slots=True)
class Webhook:
    """A destination at rest. `kinds`: what it wants to know; none, everything. `failing`: since when nothing has
    reached it, and `problem`, why."""

    id: str
    name: str
    url: str
    kinds: tuple[EventKind, ...]
    encrypted_secret: str
    created: int
    failing: int | None = None
    problem: str | None = None
    gone: bool = False  # it said that it never wants to be told again (410)

    def wants(self, kind: EventKind) -> bool:
        """Whether it is told of this."""
        return not self.gone and (not self.kinds or kind in self.kinds)


def new_secret() -> str:
    """A secret by which both sides sign."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message; `timestamp` in seconds. Source: Standard Webhooks, section "Signature scheme"."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def url(value: str, field: str = "url") -> str:
    """A valid address to send to: https, or http on this machine. Raises Invalid."""
    fits = len(value) <= MAX_URL and re.fullmatch(URL_FORM, value, re.ASCII) is not None
    if not fits or not (value.startswith("https://") or re.match(r"http://(localhost|127\.0\.0\.1)[:/]", value)):
        raise Invalid(field, f"must be an https address of at most {MAX_URL} ASCII characters.")
    return value
