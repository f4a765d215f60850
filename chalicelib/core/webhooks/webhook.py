"""Webhooks: addresses that are sent what happens to tokens, in messages that are signed.

Source: the Standard Webhooks specification (standardwebhooks.com): headers `webhook-id`, `webhook-timestamp` and
`webhook-signature`, secrets that begin with `whsec_`, and how long to go on trying. A webhook's secrets have the life
of a permanent token's (ADR 17, `core.secrets.previous_secrets`), but rest encrypted instead of hashed: both sides sign
by them.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from chalicelib.core.common import validation
from chalicelib.core.common.errors import Conflict, Invalid
from chalicelib.core.directory.service import MAX_URL, URL_FORM
from chalicelib.core.secrets.previous_secrets import MAX_RETIRED, PreviousSecret, Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from chalicelib.core.tokens.event import EventKind

MAX_WEBHOOKS = 20  # each is sent every event that it accepts: many would make every change dear
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
# Source: Standard Webhooks, section "Signature scheme": random, of 24 to 64 bytes.
LEAST_BYTES, MOST_BYTES = 24, 64
LEAST_DISTINCT = 12  # of 24 random bytes, fewer are different less than once in 10**13 times
# The form of a client-supplied secret: base64 of 24 to 64 bytes, with its padding.
SECRET_FORM = SECRET_PREFIX + r"[A-Za-z0-9+/]{32,86}={0,2}"
MAX_SECRET = len(SECRET_PREFIX) + 88
MINUTE_MS = 60_000
# After each failure; then the message is given up. Source: Standard Webhooks, section "Deliverability and reliability".
PAUSES_MS = tuple(round(minutes * MINUTE_MS) for minutes in (5 / 60, 5, 30, 120, 300, 600, 840, 1_200, 1_440))
ATTEMPTS = len(PAUSES_MS) + 1
JITTER = 0.1  # pauses are longer by up to this part of them, by chance: not all come back at once (same section)
SUCCESS_WINDOW_MS = MINUTE_MS  # the last success is noted at most once in it: not each message costs a write


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A message that never arrived: the event's id and kind, its token, when it was tried last, and what was wrong."""

    event_id: str
    kind: str
    token_id: str
    at: int
    problem: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A destination at rest. `kinds`: what it wants to know; none, everything. `failing`: since when nothing has
    reached it, and `problem`, why; `given_up` is the last message that was, and `given_ups` how many were."""

    id: str
    name: str
    url: str
    kinds: tuple[EventKind, ...]
    encrypted_secret: str
    created: int
    failing: int | None = None
    problem: str | None = None
    gone: bool = False  # it said that it never wants to be sent anything again (410)
    rotated: int | None = None  # when the current secret was made, if it is not the first
    previous_secrets: tuple[PreviousSecret[str], ...] = ()  # oldest first
    retired_secrets: tuple[str, ...] = ()  # tags of those that have ended; the last MAX_RETIRED, oldest first
    succeeded: int | None = None  # when it took something last, no finer than SUCCESS_WINDOW_MS
    given_up: GivenUp | None = None
    given_ups: int = 0
    revision: int = 1

    @property
    def secret_created_at(self) -> int:
        """When the current secret was made."""
        return self.created if self.rotated is None else self.rotated

    @property
    def unique_name(self) -> str:
        """What no other webhook of the installation is called; of those from before names were unique, some may be."""
        return validation.folded(self.name)

    def accepts(self, kind: EventKind) -> bool:
        """Whether this is sent to it."""
        return not self.gone and (not self.kinds or kind in self.kinds)

    @property
    def secrets(self) -> Secrets[str]:
        """All its secrets, encrypted, but for those in `retired_secrets`, of which only tags are left."""
        return Secrets(self.encrypted_secret, self.secret_created_at, self.previous_secrets)

    def with_secrets(self, secrets: Secrets[str], tag: Callable[[str], str | None]) -> Webhook:
        """With these, as its next revision. `tag` makes of an encrypted secret what it is recognised by once it has
        ended; None if it cannot be read."""
        tags = (tag(each.stored) for each in secrets.retired_secrets)
        return replace(
            self,
            encrypted_secret=secrets.current,
            rotated=None if secrets.since == self.created else secrets.since,
            previous_secrets=secrets.previous_secrets,
            retired_secrets=(*self.retired_secrets, *(each for each in tags if each))[-MAX_RETIRED:],
            revision=self.revision + 1,
        )


def new_secret() -> str:
    """A secret by which both sides sign."""
    return _written(secrets.token_bytes(SECRET_BYTES))


def validate_client_supplied_secret(secret: str, field: str = "secret") -> str:
    """A secret that the client supplies, if it is as good as one that is made here, as far as that can be seen.

    Raises Invalid. Source: Standard Webhooks, section "Signature scheme".
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not LEAST_BYTES <= len(key) <= MOST_BYTES or secret != _written(key):
        rule = f"must be {SECRET_PREFIX} and the base64 of {LEAST_BYTES} to {MOST_BYTES} bytes, chosen at random."
        raise Invalid(field, rule)
    if len(set(key)) < LEAST_DISTINCT:
        raise Invalid(field, f"is too easy to guess: it has fewer than {LEAST_DISTINCT} different bytes.")
    return secret


def _written(key: bytes) -> str:
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a message; `timestamp` in seconds. Source: Standard Webhooks, section "Signature scheme"."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def signatures(valid_secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """One by each secret that is live, so that receivers know the message by any of them. Source: Standard Webhooks,
    section "Webhook headers": a list with spaces between."""
    return " ".join(signature(secret, message_id, timestamp, body) for secret in valid_secrets)


def name_taken(webhook: Webhook) -> Conflict:
    """The refusal of a webhook whose name another has."""
    return Conflict(f"There is a webhook named {webhook.name!r} already.", "name")


def valid_url(value: str, field: str = "url") -> str:
    """A valid address to send to: https, or http on this machine. Raises Invalid."""
    fits = len(value) <= MAX_URL and re.fullmatch(URL_FORM, value, re.ASCII) is not None
    if not fits or not (value.startswith("https://") or re.match(r"http://(localhost|127\.0\.0\.1)[:/]", value)):
        raise Invalid(field, f"must be an https address of at most {MAX_URL} ASCII characters.")
    return value
