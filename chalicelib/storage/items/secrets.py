"""Sealed secrets that overlap, as parts of the items of tokens and services."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from chalicelib.core.secrets.hashing import HashedSecret
from chalicelib.core.secrets.previous_secrets import EarlierSecret, RetiredSecret

if TYPE_CHECKING:
    from collections.abc import Sequence


def text_of(value: object) -> str | None:
    """As JSON, in one attribute; none of what is empty."""
    return json.dumps(value) if value else None


def hashed_list(secret: HashedSecret) -> list[str]:
    """A sealed secret as a part of a JSON text."""
    return [secret.argon2id, base64.b64encode(secret.tag).decode(), secret.tag_key_id]


def hashed_in(parts: list[str]) -> HashedSecret:
    """The sealed secret in such a part."""
    argon2id, tag, key_id = parts
    return HashedSecret(argon2id, base64.b64decode(tag), key_id)


def earlier_text(earlier: Sequence[EarlierSecret[HashedSecret]]) -> str | None:
    """Earlier secrets as one attribute."""
    return json.dumps([[hashed_list(each.stored), each.since, each.until] for each in earlier]) if earlier else None


def earlier_in(text: str | None) -> tuple[EarlierSecret[HashedSecret], ...]:
    """The earlier secrets in such an attribute."""
    return tuple(EarlierSecret(hashed_in(hashed), since, until) for hashed, since, until in json.loads(text or "[]"))


def dead_text(dead: Sequence[RetiredSecret[HashedSecret]]) -> str | None:
    """Secrets that have ended as one attribute."""
    return text_of([hashed_list(each.stored) for each in dead])


def retired_text(dead: Sequence[RetiredSecret[HashedSecret]]) -> str | None:
    """What else is known of them as another, which older versions do not read."""
    return text_of([[each.since, int(each.rolled_back)] for each in dead])


def dead_in(hashed: str | None, retired: str | None) -> tuple[RetiredSecret[HashedSecret], ...]:
    """The secrets in two such attributes. What was stored before `retired` was has nothing there."""
    dead = json.loads(hashed or "[]")
    known = json.loads(retired) if retired else [(0, 0)] * len(dead)
    return tuple(
        RetiredSecret(hashed_in(parts), since, bool(rolled_back))
        for parts, (since, rolled_back) in zip(dead, known, strict=True)
    )
